// Spread the marks to all tiles that a band reaches.
uniform highp usampler2D marks;
uniform highp usampler2D hidden_marks;
uniform uvec4 reaching[24];   // bands that reach k tiles
uniform int farthest;
layout(location = 0) out uvec4 bits;
layout(location = 1) out uvec4 behind;
void main() {
  ivec2 size = textureSize(marks, 0);
  ivec2 at = ivec2(gl_FragCoord.xy);
  bits = uvec4(0u);
  behind = uvec4(0u);
  for (int dy = -farthest; dy <= farthest; dy++) {
    for (int dx = -farthest; dx <= farthest; dx++) {
      ivec2 q = at + ivec2(dx, dy);
      if (q.x < 0 || q.y < 0 || q.x >= size.x || q.y >= size.y) continue;
      uvec4 far_enough = reaching[max(abs(dx), abs(dy))];
      bits |= texelFetch(marks, q, 0) & far_enough;
      behind |= texelFetch(hidden_marks, q, 0) & far_enough;
    }
  }
}
