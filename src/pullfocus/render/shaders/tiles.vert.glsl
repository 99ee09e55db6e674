// One square a tile, folded away where the band does not occur.
uniform highp usampler2D marks;
uniform ivec2 tiles;
uniform float tile_size;   // in pixels of the target
uniform vec2 target_size;
uniform int band;
uniform highp usampler2D hidden_marks;
flat out int hides;        // whether a hidden surface reaches this tile
void main() {
  int n = gl_VertexID / 6;
  int k = gl_VertexID % 6;
  ivec2 tile = ivec2(n % tiles.x, n / tiles.x);
  uvec4 bits = texelFetch(marks, tile, 0);
  bool occurs = ((bits[band >> 5] >> uint(band & 31)) & 1u) != 0u;
  hides = int((texelFetch(hidden_marks, tile, 0)[band >> 5] >> uint(band & 31)) & 1u);
  vec2 corner = vec2(k == 1 || k == 2 || k == 4 ? 1.0 : 0.0, k == 2 || k == 4 || k == 5 ? 1.0 : 0.0);
  vec2 place = min((vec2(tile) + corner) * tile_size, target_size) / target_size;
  gl_Position = occurs ? vec4(place * 2.0 - 1.0, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
}
