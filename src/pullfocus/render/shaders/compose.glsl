// All bands from near to far. Neighbouring bands that a pixel sees without a gap are one surface,
// averaged by coverage; a surface takes no more light than the nearer ones left. Then sRGB.
uniform highp sampler2DArray seen0, seen1, seen2, seen3, seen4, seen5;
uniform highp sampler2DArray hidden0, hidden1, hidden2, hidden3, hidden4, hidden5;
uniform int tile_px;
uniform highp usampler2D marks;
uniform highp usampler2D hidden_marks;
uniform ivec2 bands[128];     // level, layer
uniform int count;
uniform int sharp_band;       // the band of radius 0
uniform vec2 size;
uniform float linear_out;     // 1 writes linear light
out vec4 colour;

const float GAP = 1e-3;
const int SHARP_RUNGS = 2;
float left_over = 1.0, covered = 0.0, coverage = 0.0, so_far = 0.0;
vec3 taken_sum = vec3(0.0), hidden_sum = vec3(0.0), surface = vec3(0.0);
bool closes = false;

void close_surface() {
  float taken = min(left_over, coverage);
  taken_sum += taken / max(coverage, 1e-6) * surface;
  left_over -= taken;
  surface = vec3(0.0);
  coverage = 0.0;
}

void add(vec4 seen, float hidden) {
  if (closes || seen.a < GAP) close_surface();
  float both = 1.0 / max(seen.a + hidden, 1e-6);
  surface += seen.a * both * seen.rgb;
  coverage += seen.a;
  float filled = min(1.0 - so_far, hidden);
  so_far = min(so_far + seen.a + hidden, 1.0);
  hidden_sum += filled * both * seen.rgb;
  covered += filled;
}

bool holds(uvec4 bits, int b) {
  return ((bits[b >> 5] >> uint(b & 31)) & 1u) != 0u;
}

float encoded(float x) {
  x = clamp(x, 0.0, 1.0);
  return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1.0 / 2.4) - 0.055;
}

void main() {
  ivec2 at = ivec2(gl_FragCoord.x, size.y - gl_FragCoord.y);
  uvec4 bits = texelFetch(marks, at / tile_px, 0);
  uvec4 behind = texelFetch(hidden_marks, at / tile_px, 0);
  int previous = count;
  for (int b = count - 1; b >= 0; b--) {
    if (!holds(bits, b)) continue;
    bool hides = holds(behind, b);
    closes = previous != b + 1 || abs(b - sharp_band) <= SHARP_RUNGS;
    previous = b;
    ivec2 band = bands[b];
    if (band.x == 0) {
      add(texelFetch(seen0, ivec3(at, band.y), 0), hides ? texelFetch(hidden0, ivec3(at, band.y), 0).r : 0.0);
      continue;
    }
    vec2 reduced = (vec2(at) + 0.5) / float(1 << band.x);
    if (band.x == 1) {
      vec3 p = vec3(reduced / vec2(textureSize(seen1, 0).xy), float(band.y));
      add(textureLod(seen1, p, 0.0), hides ? textureLod(hidden1, p, 0.0).r : 0.0);
    } else if (band.x == 2) {
      vec3 p = vec3(reduced / vec2(textureSize(seen2, 0).xy), float(band.y));
      add(textureLod(seen2, p, 0.0), hides ? textureLod(hidden2, p, 0.0).r : 0.0);
    } else if (band.x == 3) {
      vec3 p = vec3(reduced / vec2(textureSize(seen3, 0).xy), float(band.y));
      add(textureLod(seen3, p, 0.0), hides ? textureLod(hidden3, p, 0.0).r : 0.0);
    } else if (band.x == 4) {
      vec3 p = vec3(reduced / vec2(textureSize(seen4, 0).xy), float(band.y));
      add(textureLod(seen4, p, 0.0), hides ? textureLod(hidden4, p, 0.0).r : 0.0);
    } else {
      vec3 p = vec3(reduced / vec2(textureSize(seen5, 0).xy), float(band.y));
      add(textureLod(seen5, p, 0.0), hides ? textureLod(hidden5, p, 0.0).r : 0.0);
    }
  }
  close_surface();
  vec3 light = covered > 1e-4
    ? taken_sum + left_over / covered * hidden_sum
    : taken_sum / max(1.0 - left_over, 1e-4);
  colour = vec4(linear_out > 0.5 ? light : vec3(encoded(light.r), encoded(light.g), encoded(light.b)), 1.0);
}
