// Names that Node has and a browser has not. A bundle into which these are injected keeps those that something in it uses
// without declaring them.
const name = text => ({ text: `name of Node: ${text}` })
export const process = /* @__PURE__ */ name('process')
export const Buffer = /* @__PURE__ */ name('Buffer')
export const global = /* @__PURE__ */ name('global')
export const require = /* @__PURE__ */ name('require')
export const setImmediate = /* @__PURE__ */ name('setImmediate')
export const __dirname = /* @__PURE__ */ name('__dirname')
export const __filename = /* @__PURE__ */ name('__filename')
