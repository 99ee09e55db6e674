// Both surfaces of every pixel: its own in front, what it hides behind; alpha on depth edges.
uniform sampler2D colour;
uniform sampler2D disparity;
uniform sampler2D hidden;   // half size: rgb, disparity
uniform sampler2D ends;     // least, greatest disparity of 3 x 3
uniform sampler2D light;    // gain of clipped lights at 1/8
uniform float step_;
layout(location = 0) out vec4 front;
layout(location = 1) out vec4 back;
layout(location = 2) out vec2 depths;

ivec2 mirrored(ivec2 q, ivec2 size) {
  return ivec2(q.x < 0 ? -1 - q.x : (q.x >= size.x ? 2 * size.x - 1 - q.x : q.x),
               q.y < 0 ? -1 - q.y : (q.y >= size.y ? 2 * size.y - 1 - q.y : q.y));
}

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  ivec2 size = textureSize(disparity, 0);
  vec3 own = texelFetch(colour, at, 0).rgb;
  float d = texelFetch(disparity, at, 0).r;
  float brightest = max(own.r, max(own.g, own.b));
  float lift = 1.0 + (texelFetch(light, at >> 3, 0).r - 1.0) * clamp((brightest - 0.9) * 10.0, 0.0, 1.0);
  vec3 lifted = own * lift;
  vec4 behind = texelFetch(hidden, at >> 1, 0);
  front = vec4(lifted, 1.0);
  bool has_back = behind.a < d - step_;
  back = has_back ? vec4(behind.rgb, 1.0) : vec4(lifted, 0.0);
  depths = vec2(d, has_back ? behind.a : d);

  vec2 span = texelFetch(ends, at, 0).rg;
  if (span.y - span.x <= step_) return;
  float middle = 0.5 * (span.x + span.y);
  vec3 near_colour = vec3(0.0), far_colour = vec3(0.0);
  float near_weight = 0.0, far_weight = 0.0, near_sum = 0.0, far_sum = 0.0, near_count = 0.0;
  for (int dy = -2; dy <= 2; dy++) {
    for (int dx = -2; dx <= 2; dx++) {
      ivec2 q = mirrored(at + ivec2(dx, dy), size);
      float close = exp(-float(dy * dy + dx * dx) / 4.0);
      vec2 around = texelFetch(ends, q, 0).rg;
      float weight = close * (around.y - around.x <= step_ ? 1.0 : 0.001);
      float other = texelFetch(disparity, q, 0).r;
      vec3 c = texelFetch(colour, q, 0).rgb;
      if (other > middle) {
        near_colour += weight * c;
        near_weight += weight;
        near_sum += close * other;
        near_count += close;
      } else {
        far_colour += weight * c;
        far_weight += weight;
        far_sum += weight * other;
      }
    }
  }
  near_colour /= near_weight;
  far_colour /= far_weight;
  float near_d = near_sum / near_count, far_d = far_sum / far_weight;
  vec3 delta = near_colour - far_colour;
  float contrast = dot(delta, delta);
  float along = dot(own - far_colour, delta);
  bool is_near = d > middle;
  float trust = clamp(contrast / 0.003 - 0.3, 0.0, 1.0);
  float alpha = clamp(along / max(contrast, 1e-8), 0.0, 1.0) * trust;
  alpha += (1.0 - trust) * (is_near ? 1.0 : 0.0);
  alpha = alpha > 0.95 ? 1.0 : (alpha < 0.05 ? 0.0 : alpha);
  front = vec4(alpha == 1.0 ? lifted : near_colour, alpha);
  back = vec4(alpha == 0.0 ? lifted : far_colour, 1.0);
  depths = is_near ? vec2(d, far_d) : vec2(near_d, d);
}
