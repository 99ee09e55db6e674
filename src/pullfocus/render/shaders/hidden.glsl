// The nearest farther surface behind each half-size square, from the first level that holds one.
uniform sampler2D nearest;
uniform sampler2D reach;      // > 0 where an edge lies within reach, at 1/8
uniform sampler2D level1, level2, level3, level4, level5, level6, level7, level8;
uniform int levels;
uniform float step_;
out vec4 found;
bool look(sampler2D level, int climb, float limit) {
  ivec2 last = textureSize(level, 0) - 1;
  vec2 place = gl_FragCoord.xy / float(1 << climb) - 0.5;
  ivec2 at = ivec2(floor(place));
  vec2 part = place - vec2(at);
  vec4 sum = vec4(0.0);
  float total = 0.0;
  for (int k = 0; k < 4; k++) {
    vec4 c = texelFetch(level, clamp(at + ivec2(k & 1, k >> 1), ivec2(0), last), 0);
    if (c.a >= limit) continue;
    float weight = ((k >> 1) == 1 ? part.y : 1.0 - part.y) * ((k & 1) == 1 ? part.x : 1.0 - part.x) + 1e-3;
    sum += weight * c;
    total += weight;
  }
  if (total <= 0.2) return false;
  found = sum / total;
  return true;
}
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy);
  found = vec4(0.0, 0.0, 0.0, 1e30);
  if (texelFetch(reach, at >> 3, 0).r < 0.5) return;
  float limit = texelFetch(nearest, at, 0).r - step_;
  if (levels >= 1 && look(level1, 1, limit)) return;
  if (levels >= 2 && look(level2, 2, limit)) return;
  if (levels >= 3 && look(level3, 3, limit)) return;
  if (levels >= 4 && look(level4, 4, limit)) return;
  if (levels >= 5 && look(level5, 5, limit)) return;
  if (levels >= 6 && look(level6, 6, limit)) return;
  if (levels >= 7 && look(level7, 7, limit)) return;
  if (levels >= 8 && look(level8, 8, limit)) return;
}
