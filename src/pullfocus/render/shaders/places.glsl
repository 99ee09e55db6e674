// The place of both surfaces of every pixel on the ladder: worked out once for all bands.
uniform sampler2D depths;
out vec2 places;
void main() {
  vec2 d = texelFetch(depths, ivec2(gl_FragCoord.xy), 0).rg;
  places = vec2(place_of(d.x), place_of(d.y));
}
