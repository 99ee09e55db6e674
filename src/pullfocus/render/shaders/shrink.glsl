// Halve a level (red, green, blue, disparity) again, keeping the far side.
uniform sampler2D level;
uniform float step_;
out vec4 far;
void main() {
  ivec2 last = textureSize(level, 0) - 1;
  ivec2 at = ivec2(gl_FragCoord.xy) * 2;
  float low = 1e30;
  for (int k = 0; k < 4; k++) low = min(low, texelFetch(level, min(at + ivec2(k & 1, k >> 1), last), 0).a);
  vec4 sum = vec4(0.0);
  float total = 0.0;
  for (int k = 0; k < 4; k++) {
    vec4 c = texelFetch(level, min(at + ivec2(k & 1, k >> 1), last), 0);
    float weight = exp((low - c.a) / step_) / (1.0 + max(c.r, max(c.g, c.b)));
    sum += weight * c;
    total += weight;
  }
  far = sum / total;
}
