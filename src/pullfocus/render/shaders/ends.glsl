// Least and greatest disparity of the 3 x 3 squares.
uniform sampler2D disparity;
out vec2 ends;
void main() {
  ivec2 last = textureSize(disparity, 0) - 1;
  ends = vec2(1e30, -1e30);
  for (int k = 0; k < 9; k++) {
    ivec2 q = clamp(ivec2(gl_FragCoord.xy) + ivec2(k % 3 - 1, k / 3 - 1), ivec2(0), last);
    float d = texelFetch(disparity, q, 0).r;
    ends = vec2(min(ends.x, d), max(ends.y, d));
  }
}
