"""The two GLSL programs of the scene renderer."""

VERTEX = """
#version 330
uniform mat4 view, projection;
uniform vec2 hills;            // height m, seed
in vec3 position; in vec2 uv;
in mat4 model; in vec4 look;   // layer, repeat, kind (1 = land), number of the part from 1
in vec3 tint;
out vec3 eye, world, shade; out vec2 st; flat out float layer, number;
float wave(vec2 p, float k, float s) { return sin(p.x*k + s*7.1) * sin(p.y*k*1.13 + s*3.7); }
void main() {
    vec4 w = model * vec4(position, 1.0);
    if (look.z > 0.5) {
        float s = hills.y;
        float h = .55*wave(w.xz, .045, s) + .3*wave(w.xz, .11, s+2.) + .15*wave(w.xz, .31, s+5.);
        w.y += hills.x * h * smoothstep(2.0, 25.0, length(w.xz));
    }
    vec4 e = view * w;
    world = w.xyz; eye = e.xyz; layer = look.x; number = look.w; shade = tint;
    vec3 size = vec3(length(model[0].xyz), length(model[1].xyz), length(model[2].xyz));
    st = uv;
    if (look.y == 0.0) {
        vec3 a = abs(position);
        vec2 metres = a.x > .499 ? size.zy : (a.y > .499 ? size.xz : size.xy);
        st *= metres;
    } else st *= look.y;
    gl_Position = projection * e;
}
"""

FRAGMENT = """
#version 330
uniform sampler2DArray stack;
uniform vec3 light, haze_colour; uniform float ambient, haze;
in vec3 eye, world, shade; in vec2 st; flat in float layer, number;
layout(location = 0) out vec4 colour;
layout(location = 1) out float disparity;
layout(location = 2) out vec4 surface;   // normal in eye axes, number; read only if asked for
void main() {
    vec4 t = texture(stack, vec3(st, layer));
    if (t.a < 0.5) discard;
    vec3 n = normalize(cross(dFdx(world), dFdy(world)));
    float d = ambient + (1.0 - ambient) * max(dot(n, light), 0.0);
    vec3 c = t.rgb * shade * d * 1.25;
    colour = vec4(mix(haze_colour, c, exp(-haze * length(eye))), 1.0);
    disparity = 1.0 / max(-eye.z, 1e-3);
    vec3 facing = normalize(cross(dFdx(eye), dFdy(eye)));
    surface = vec4(dot(facing, eye) > 0.0 ? -facing : facing, number);
}
"""
