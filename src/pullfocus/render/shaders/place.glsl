// Where a disparity stands on the ladder of blur radii, counted from the farthest band.
uniform float gain;        // pixels of radius per unit of disparity
uniform vec2 sharp;        // far and near end of what is sharp
uniform float low_band;
uniform float high_band;
const float BEND = 8.333333333;
float place_of(float d) {
  float r = gain * (max(d - sharp.y, 0.0) + min(d - sharp.x, 0.0));
  float a = abs(r);
  float rung = a < 1.0 ? a * a : (a <= BEND ? a : BEND + log(a / BEND) / log(1.12));
  return clamp((r < 0.0 ? -rung : rung) - low_band, 0.0, high_band - low_band);
}
