// One band's layer at its own scale: premultiplied colour, seen and hidden coverage.
uniform sampler2D front;
uniform sampler2D back;
uniform sampler2D places;
uniform int level;
uniform int band;
layout(location = 0) out vec4 layer;
layout(location = 1) out float hidden;
void main() {
  ivec2 size = textureSize(places, 0);
  int steps = 1 << level;
  ivec2 from = ivec2(gl_FragCoord.xy) * steps;
  layer = vec4(0.0);
  hidden = 0.0;
  for (int y = 0; y < steps; y++) {
    for (int x = 0; x < steps; x++) {
      ivec2 q = from + ivec2(x, y);
      q = min(q, max(2 * size - 1 - q, 0));  // mirrored; of a picture smaller than this square, its first pixel
      vec2 place = texelFetch(places, q, 0).rg;
      float w1 = max(0.0, 1.0 - abs(place.x - float(band)));
      float w2 = max(0.0, 1.0 - abs(place.y - float(band)));
      if (w1 + w2 <= 0.0) continue;
      vec4 f = texelFetch(front, q, 0);
      vec4 b = texelFetch(back, q, 0);
      float share = w1 * f.a;
      float seen = w2 * (1.0 - f.a);
      float covered = w2 * f.a * b.a * clamp(place.x - place.y - 1.0, 0.0, 1.0);
      layer += vec4(share * f.rgb + (seen + covered) * b.rgb, share + seen);
      hidden += covered;
    }
  }
  float scale = 1.0 / float(steps * steps);
  layer *= scale;
  hidden *= scale;
}
