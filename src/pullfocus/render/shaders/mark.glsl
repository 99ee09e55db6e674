// The bands that occur in each square tile, as 128 bits; and those of surfaces that are hidden.
uniform sampler2D places;
uniform int tile_px;
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
  ivec2 from = ivec2(gl_FragCoord.xy) * tile_px;
  ivec2 size = textureSize(places, 0);
  uvec4 seen = uvec4(0u), hidden = uvec4(0u);
  ivec2 to = min(from + tile_px, size);
  for (int y = from.y; y < to.y; y++) {
    for (int x = from.x; x < to.x; x++) {
      vec2 place = texelFetch(places, ivec2(x, y), 0).rg;
      seen |= bits_of(place.x);
      if (place.y == place.x) continue;
      seen |= bits_of(place.y);
      if (place.x > place.y + 1.0) hidden |= bits_of(place.y);
    }
  }
  bits = seen;
  behind = hidden;
}
