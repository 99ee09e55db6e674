/** Context: a WebGL 2 context with float targets; programs, textures and targets made short. */

const VERSION = '#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2D;\n';
const FILES = ['screen.vert', 'tiles.vert', 'halve', 'shrink', 'hidden', 'ends', 'surfaces', 'place', 'places', 'mark', 'spread', 'gather', 'blur', 'compose'];

/** Load the shaders: from the page itself (a living photo) or from the server. */
export async function loadShaders() {
  if (globalThis.pullfocusShaders) return globalThis.pullfocusShaders;
  const texts = await Promise.all(FILES.map(async (name) => {
    const response = await fetch(`/shaders/${name}.glsl`);
    if (!response.ok) throw new Error(`shader ${name}: ${response.status}`);
    return response.text();
  }));
  return Object.fromEntries(FILES.map((name, k) => [name, texts[k]]));
}

export class Context {
  /** @param {HTMLCanvasElement | OffscreenCanvas} canvas @param {Record<string, string>} shaders */
  constructor(canvas, shaders) {
    const gl = /** @type {any} */ (canvas).getContext('webgl2', { alpha: false, antialias: false, depth: false, preserveDrawingBuffer: true, powerPreference: 'high-performance' });
    if (!gl) throw new Error('no WebGL 2');
    if (!gl.getExtension('EXT_color_buffer_float')) throw new Error('no float targets');
    /** @type {WebGL2RenderingContext} */
    this.gl = gl;
    this.shaders = shaders;
    this.programs = new Map();
    this.frame = gl.createFramebuffer();
    gl.bindVertexArray(gl.createVertexArray());
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    this.largest = gl.getParameter(gl.MAX_TEXTURE_SIZE);
  }

  /** A program of one vertex body and fragment bodies put together. */
  program(vertex, ...bodies) {
    const key = [vertex, ...bodies].join('+');
    let made = this.programs.get(key);
    if (!made) this.programs.set(key, (made = this.compile(key, vertex, bodies)));
    return made;
  }

  compile(key, vertex, bodies) {
    const { gl, shaders } = this;
    const program = gl.createProgram();
    const parts = [[gl.VERTEX_SHADER, shaders[vertex]], [gl.FRAGMENT_SHADER, bodies.map((name) => shaders[name]).join('\n')]];
    for (const [type, body] of parts) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, VERSION + body);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(`${key}: ${gl.getShaderInfoLog(shader)}`);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`${key}: ${gl.getProgramInfoLog(program)}`);
    const uniforms = new Map();
    const count = gl.getProgramParameter(program, gl.ACTIVE_UNIFORMS);
    for (let k = 0; k < count; k++) {
      const { name, type } = gl.getActiveUniform(program, k);
      const place = gl.getUniformLocation(program, name); // null: in a block, filled by `numbers`
      if (place) uniforms.set(name.replace('[0]', ''), { place, type });
    }
    return { program, uniforms };
  }

  /** Set uniforms by name; textures are bound to units in order. */
  use(made, values) {
    const { gl } = this;
    gl.useProgram(made.program);
    let unit = 0;
    for (const [name, { place, type }] of made.uniforms) {
      const value = values[name];
      if (value === undefined) throw new Error(`uniform ${name} is missing`);
      if (type === gl.SAMPLER_2D || type === gl.UNSIGNED_INT_SAMPLER_2D || type === gl.SAMPLER_2D_ARRAY) {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(value.target, value.texture);
        gl.uniform1i(place, unit);
        unit += 1;
      } else if (type === gl.FLOAT) gl.uniform1f(place, value);
      else if (type === gl.FLOAT_VEC2) gl.uniform2fv(place, value);
      else if (type === gl.FLOAT_VEC4) gl.uniform4fv(place, value);
      else if (type === gl.INT) gl.uniform1i(place, value);
      else if (type === gl.INT_VEC2) gl.uniform2iv(place, value);
      else if (type === gl.UNSIGNED_INT_VEC4) gl.uniform4uiv(place, value);
      else throw new Error(`uniform ${name} has an unknown type`);
    }
  }

  /** Make a texture; `layers` makes an array of them. */
  texture(width, height, format, { layers = 0, linear = false, mirror = false } = {}) {
    const { gl } = this;
    const target = layers ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
    const texture = gl.createTexture();
    gl.bindTexture(target, texture);
    if (layers) gl.texStorage3D(target, 1, gl[format], width, height, layers);
    else gl.texStorage2D(target, 1, gl[format], width, height);
    const filter = linear ? gl.LINEAR : gl.NEAREST;
    const wrap = mirror ? gl.MIRRORED_REPEAT : gl.CLAMP_TO_EDGE;
    gl.texParameteri(target, gl.TEXTURE_MIN_FILTER, filter);
    gl.texParameteri(target, gl.TEXTURE_MAG_FILTER, filter);
    gl.texParameteri(target, gl.TEXTURE_WRAP_S, wrap);
    gl.texParameteri(target, gl.TEXTURE_WRAP_T, wrap);
    return { texture, target, width, height, layers };
  }

  /** Put numbers or a picture into a texture. */
  fill(texture, format, type, data) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, texture.texture);
    if (ArrayBuffer.isView(data)) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, texture.width, texture.height, gl[format], gl[type], data);
    else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, gl[format], gl[type], data);
  }

  /** Make a buffer of numbers for the programs' uniform block, in rows of equal length. */
  numbers(data, rowLength) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.UNIFORM_BUFFER, buffer);
    gl.bufferData(gl.UNIFORM_BUFFER, data, gl.STATIC_DRAW);
    return { buffer, rowBytes: rowLength * data.BYTES_PER_ELEMENT };
  }

  /** Let the uniform block of the next pass be one row of a buffer of numbers. */
  useRow({ buffer, rowBytes }, row) {
    const { gl } = this;
    gl.bindBufferRange(gl.UNIFORM_BUFFER, 0, buffer, row * rowBytes, rowBytes);
  }

  drop(...textures) {
    for (const texture of textures.flat()) if (texture) this.gl.deleteTexture(texture.texture);
  }

  /** Draw into textures, [texture, layer] for one of an array, or null for the canvas. */
  target(outputs, { clear = false } = {}) {
    const { gl } = this;
    if (outputs === null) {
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
      gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
      return;
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.frame);
    let size = null;
    for (let k = 0; k < 3; k++) {
      const output = outputs[k];
      const [texture, layer] = Array.isArray(output) ? output : [output, -1];
      if (layer >= 0) gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + k, texture.texture, 0, layer);
      else gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + k, gl.TEXTURE_2D, texture?.texture ?? null, 0);
      size ??= texture;
    }
    gl.drawBuffers(outputs.map((_, k) => gl.COLOR_ATTACHMENT0 + k));
    gl.viewport(0, 0, size.width, size.height);
    if (clear) outputs.forEach((_, k) => gl.clearBufferfv(gl.COLOR, k, [0, 0, 0, 0]));
  }

  /** Run one program over the whole target. */
  pass(outputs, bodies, values) {
    this.target(outputs);
    this.use(this.program('screen.vert', ...bodies), values);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 3);
  }

  /** Run one program over the marked tiles of the target; no instances, of which SwiftShader draws one at a time. */
  tiles(outputs, bodies, values) {
    this.target(outputs, { clear: true });
    this.use(this.program('tiles.vert', ...bodies), values);
    this.gl.drawArrays(this.gl.TRIANGLES, 0, 6 * values.tiles[0] * values.tiles[1]);
  }
}
