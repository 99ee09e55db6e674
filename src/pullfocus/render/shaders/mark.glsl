// The bands that occur in each 32 x 32 tile, as 128 bits; and those of surfaces that are hidden.
uniform sampler2D depths;
layout(location = 0) out uvec4 bits;
layout(location = 1) out uvec4 behind;
uvec4 bits_of(float place) {
  uvec4 set = uvec4(0u);
  int j = int(place);
  set[j >> 5] |= 1u << uint(j & 31);
  if (place > float(j)) set[(j + 1) >> 5] |= 1u << uint((j + 1) & 31);
  return set;
}
void main() {
  ivec2 from = ivec2(gl_FragCoord.xy) * 32;
  ivec2 size = textureSize(depths, 0);
  uvec4 seen = uvec4(0u), hidden = uvec4(0u);
  ivec2 to = min(from + 32, size);
  for (int y = from.y; y < to.y; y++) {
    for (int x = from.x; x < to.x; x++) {
      vec2 d = texelFetch(depths, ivec2(x, y), 0).rg;
      float front = place_of(d.x), back = place_of(d.y);
      seen |= bits_of(front);
      if (d.y == d.x) continue;
      seen |= bits_of(back);
      if (front > back + 1.0) hidden |= bits_of(back);
    }
  }
  bits = seen;
  behind = hidden;
}
