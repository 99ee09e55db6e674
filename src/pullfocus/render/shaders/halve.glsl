// Halve the picture, weighting the far side of each 2 x 2 square.
uniform sampler2D colour;
uniform sampler2D disparity;
uniform float step_;
layout(location = 0) out vec4 far;
layout(location = 1) out float nearest;
void main() {
  ivec2 last = textureSize(disparity, 0) - 1;
  ivec2 at = ivec2(gl_FragCoord.xy) * 2;
  float low = 1e30, high = -1e30;
  for (int k = 0; k < 4; k++) {
    float d = texelFetch(disparity, min(at + ivec2(k & 1, k >> 1), last), 0).r;
    low = min(low, d);
    high = max(high, d);
  }
  vec4 sum = vec4(0.0);
  float total = 0.0;
  for (int k = 0; k < 4; k++) {
    ivec2 q = min(at + ivec2(k & 1, k >> 1), last);
    float d = texelFetch(disparity, q, 0).r;
    vec3 c = texelFetch(colour, q, 0).rgb;
    float weight = exp((low - d) / step_) / (1.0 + max(c.r, max(c.g, c.b)));
    sum += weight * vec4(c, d);
    total += weight;
  }
  far = sum / total;
  nearest = high;
}
