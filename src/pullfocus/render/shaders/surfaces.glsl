// Both surfaces of every pixel: its own in front, what it hides behind; alpha on depth edges.
uniform sampler2D colour;
uniform sampler2D disparity;
uniform sampler2D hidden;   // half size: rgb, disparity
uniform sampler2D ends;     // least, greatest disparity of 3 x 3
uniform sampler2D light;    // gain of clipped lights, on cells that divide the picture evenly
uniform float step_;
layout(location = 0) out vec4 front;
layout(location = 1) out vec4 back;
layout(location = 2) out vec2 depths;

ivec2 mirrored(ivec2 q, ivec2 size) {
  return ivec2(q.x < 0 ? -1 - q.x : (q.x >= size.x ? 2 * size.x - 1 - q.x : q.x),
               q.y < 0 ? -1 - q.y : (q.y >= size.y ? 2 * size.y - 1 - q.y : q.y));
}

// Gain of clipped light at a pixel: bilinear between the cells' centres.
float gain_at(ivec2 at, ivec2 size) {
  ivec2 cells = textureSize(light, 0);
  vec2 place = (vec2(at) + 0.5) * vec2(cells) / vec2(size) - 0.5;
  place = clamp(place, vec2(0.0), vec2(cells - 1));
  ivec2 low = ivec2(place);
  ivec2 high = min(low + 1, cells - 1);
  vec2 part = place - vec2(low);
  float upper = mix(texelFetch(light, low, 0).r, texelFetch(light, ivec2(high.x, low.y), 0).r, part.x);
  float lower = mix(texelFetch(light, ivec2(low.x, high.y), 0).r, texelFetch(light, high, 0).r, part.x);
  return mix(upper, lower, part.y);
}

vec3 near_colour, far_colour;
float near_d, far_d, spread;

// Mean colour and disparity of the near and the far pixels round an edge pixel. Those that do not
// touch the edge count most; where there are none, the first means only give a direction, and the
// pixels farthest along it stand for their side (layer_kernels._side_means).
void sides(ivec2 at, ivec2 size, float middle) {
  vec3 axis = vec3(0.0);
  vec2 reach = vec2(0.0);
  for (int turn = 0; turn < 2; turn++) {
    if (turn == 1) {
      reach = vec2(1e30, -1e30);
      for (int k = 0; k < 25; k++) {
        ivec2 q = mirrored(at + ivec2(k % 5 - 2, k / 5 - 2), size);
        float along = dot(axis, texelFetch(colour, q, 0).rgb);
        if (texelFetch(disparity, q, 0).r > middle) reach.y = max(reach.y, along);
        else reach.x = min(reach.x, along);
      }
    }
    vec3 near_sum = vec3(0.0), far_sum = vec3(0.0);
    vec4 near_rest = vec4(0.0), far_rest = vec4(0.0);  // weight, disparity, its weight, squares
    for (int k = 0; k < 25; k++) {
      ivec2 by = ivec2(k % 5 - 2, k / 5 - 2);
      ivec2 q = mirrored(at + by, size);
      vec3 c = texelFetch(colour, q, 0).rgb;
      float d = texelFetch(disparity, q, 0).r;
      vec2 around = texelFetch(ends, q, 0).rg;
      float close = exp(-float(by.x * by.x + by.y * by.y) / 4.0) / (1.0 + max(c.r, max(c.g, c.b)));
      float weight = close;
      if (around.y - around.x > step_) {
        float along = dot(axis, c);
        float miss = d > middle ? reach.y - along : along - reach.x;
        weight *= 0.02 * exp(-2.0 * miss / max(reach.y - reach.x, 1e-9));
      }
      if (d > middle) {
        near_sum += weight * c;
        near_rest += vec4(weight, close * d, close, weight * dot(c, c));
      } else {
        far_sum += weight * c;
        far_rest += vec4(weight, close * d, close, weight * dot(c, c));
      }
    }
    near_colour = near_sum / near_rest.x;
    far_colour = far_sum / far_rest.x;
    near_d = near_rest.y / near_rest.z;
    far_d = far_rest.y / far_rest.z;
    spread = max(near_rest.w / near_rest.x - dot(near_colour, near_colour), 0.0)
           + max(far_rest.w / far_rest.x - dot(far_colour, far_colour), 0.0);
    axis = near_colour - far_colour;
  }
}

void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  ivec2 size = textureSize(disparity, 0);
  vec3 own = texelFetch(colour, at, 0).rgb;
  float d = texelFetch(disparity, at, 0).r;
  float gain = gain_at(at, size);
  float least = min(own.r, min(own.g, own.b));
  vec3 lifted = own * (1.0 + (gain - 1.0) * clamp((least - 0.96) * 25.0, 0.0, 1.0));
  vec4 behind = texelFetch(hidden, at >> 1, 0);
  front = vec4(lifted, 1.0);
  bool has_back = behind.a < d - step_;
  back = has_back ? vec4(behind.rgb, 1.0) : vec4(lifted, 0.0);
  depths = vec2(d, has_back ? behind.a : d);

  vec2 span = texelFetch(ends, at, 0).rg;
  if (span.y - span.x <= step_) return;
  float middle = 0.5 * (span.x + span.y);
  sides(at, size, middle);
  vec3 delta = near_colour - far_colour;
  float contrast = dot(delta, delta);
  float along = dot(own - far_colour, delta);
  bool is_near = d > middle;
  float doubt = 3.0 * spread + 1e-3;
  float alpha = is_near ? clamp((along + doubt) / (contrast + doubt), 0.5, 1.0)
                        : clamp(along / (contrast + doubt), 0.0, 0.5);
  if (min(alpha, 1.0 - alpha) < 0.05) return;
  vec3 missing = (lifted - alpha * near_colour - (1.0 - alpha) * far_colour)
               / (alpha * alpha + (1.0 - alpha) * (1.0 - alpha));
  front = vec4(max(near_colour + alpha * missing, 0.0), alpha);
  back = vec4(max(far_colour + (1.0 - alpha) * missing, 0.0), 1.0);
  depths = is_near ? vec2(d, far_d) : vec2(near_d, d);
}
