// A layer under the aperture: taps between pixels take up to four pixels at once.
uniform sampler2D layer_in;
uniform sampler2D hidden_in;
layout(std140) uniform Taps {
  vec4 taps[256];            // dx, dy, weight
};
uniform int count;
uniform vec2 size;           // of the layer
uniform vec2 extent;         // of the picture in pixels of the layer; may end within the last one
uniform vec4 vignette;       // cat's eye: shift at the pixel = xy + zw * pixel; unused when eye = 0
uniform float eye;
uniform float radius;        // of this band at this scale
uniform vec2 stretch;        // squeeze of the aperture, with the sign of the side
flat in int hides;
layout(location = 0) out vec4 layer;
layout(location = 1) out float hidden;
void main() {
  vec4 sum = vec4(0.0);
  float covered = 0.0, total = 0.0;
  vec2 texel = 1.0 / size;
  vec2 shift = vignette.xy + vignette.zw * gl_FragCoord.xy;
  for (int t = 0; t < count; t++) {
    vec3 tap = taps[t].xyz;
    float weight = tap.z;
    if (eye > 0.0) {
      vec2 u = tap.xy / radius * stretch;
      weight *= clamp((1.0 - length(u - shift)) * radius + 0.5, 0.0, 1.0);
    }
    vec2 at = gl_FragCoord.xy + tap.xy;
    at = min(at, 2.0 * extent - at) * texel;  // mirrored where the picture ends
    sum += weight * texture(layer_in, at);
    if (hides == 1) covered += weight * texture(hidden_in, at).r;
    total += weight;
  }
  total = max(total, 1e-6);
  layer = sum / total;
  hidden = covered / total;
}
