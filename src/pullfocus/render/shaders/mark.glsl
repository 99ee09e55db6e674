// The bands that occur in each 32 x 32 tile, as 128 bits.
uniform sampler2D depths;
out uvec4 bits;
uvec4 set = uvec4(0u);
void set_bits(float place) {
  int j = int(place);
  set[j >> 5] |= 1u << uint(j & 31);
  if (place > float(j)) set[(j + 1) >> 5] |= 1u << uint((j + 1) & 31);
}
void main() {
  ivec2 from = ivec2(gl_FragCoord.xy) * 32;
  ivec2 size = textureSize(depths, 0);
  ivec2 to = min(from + 32, size);
  for (int y = from.y; y < to.y; y++) {
    for (int x = from.x; x < to.x; x++) {
      vec2 d = texelFetch(depths, ivec2(x, y), 0).rg;
      set_bits(place_of(d.x));
      if (d.y != d.x) set_bits(place_of(d.y));
    }
  }
  bits = set;
}
