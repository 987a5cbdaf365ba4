/** As much of a file is looked at. */
export const RECOGNISED_BYTES = 4096

interface Kind {
  readonly is: (head: Buffer) => boolean
  /** What it is, and what to do. */
  readonly words: string
}

const starts =
  (...bytes: readonly number[]) =>
  (head: Buffer): boolean =>
    bytes.every((byte, i) => head[i] === byte)
const startsWith =
  (text: string, at = 0) =>
  (head: Buffer): boolean =>
    head.toString('latin1', at, at + text.length) === text
const opensWith =
  (pattern: RegExp) =>
  (head: Buffer): boolean =>
    pattern.test(
      head
        .toString('utf8')
        .replace(/^\uFEFF/, '')
        .trimStart()
    )

const EXPORT = 'export the model as ONNX'
const UNPACK = 'unpack it and name the .onnx file inside'

/** Eight bytes of length, then so much JSON. */
const isSafetensors = (head: Buffer): boolean =>
  head.length > 8 && head.readBigUInt64LE(0) < 2n ** 27n && /^\{\s*("|\})/.test(head.toString('latin1', 8, 64))

const isPickleZip = (head: Buffer): boolean =>
  starts(0x50, 0x4b, 3, 4)(head) && /(data|constants)\.pkl|\.format_version/.test(head.toString('latin1'))

/** What version control leaves in place of a file that it keeps elsewhere. */
const POINTERS: readonly Kind[] = [
  {
    is: startsWith('version https://git-lfs'),
    words: 'a Git LFS pointer, not the file itself; fetch it with git lfs pull'
  },
  {
    is: head => /^(\.\.\/)*(\/annex\/objects\/|\.git\/annex\/)/.test(head.toString('latin1', 0, 200)),
    words: 'a git-annex pointer, not the file itself; fetch it with git annex get'
  }
]

/** The first that fits. */
const KINDS: readonly Kind[] = [
  ...POINTERS,
  {
    is: opensWith(/^(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b/is),
    words: 'a web page (HTML), not the model itself; download the file that the page is about'
  },
  {
    is: startsWith('ORTM', 4),
    words: 'a model in the ORT format, which cannot be cut; use the .onnx file that it was made from'
  },
  { is: startsWith('TFL3', 4), words: `a TensorFlow Lite model; ${EXPORT}, with tf2onnx for example` },
  { is: startsWith('GGUF'), words: `a GGUF model; ${EXPORT}` },
  { is: isPickleZip, words: `a PyTorch file; ${EXPORT} with torch.onnx.export` },
  { is: startsWith('PK\x03\x04'), words: `a zip archive; ${UNPACK}` },
  { is: starts(0x80, 2), words: `a Python pickle, as PyTorch saves it; ${EXPORT} with torch.onnx.export` },
  { is: starts(0x80, 4), words: `a Python pickle; ${EXPORT}` },
  { is: isSafetensors, words: `weights in the safetensors format, without a graph; ${EXPORT}` },
  { is: starts(0x89, 0x48, 0x44, 0x46), words: `an HDF5 file, as Keras saves it; ${EXPORT}, with tf2onnx for example` },
  { is: starts(0x1f, 0x8b), words: `a gzip archive; ${UNPACK}` },
  { is: startsWith('BZh'), words: `a bzip2 archive; ${UNPACK}` },
  { is: starts(0xfd, 0x37, 0x7a, 0x58, 0x5a), words: `an xz archive; ${UNPACK}` },
  { is: starts(0x28, 0xb5, 0x2f, 0xfd), words: `a zstd archive; ${UNPACK}` },
  { is: starts(0x37, 0x7a, 0xbc, 0xaf), words: `a 7z archive; ${UNPACK}` },
  { is: startsWith('ustar', 257), words: `a tar archive; ${UNPACK}` },
  { is: starts(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59), words: 'a .npy file, which holds data; name the model' },
  { is: starts(0x89, 0x50, 0x4e, 0x47), words: 'a PNG image; name the model' },
  { is: starts(0xff, 0xd8, 0xff), words: 'a JPEG image; name the model' },
  {
    is: opensWith(/^<\?xml|^<net\b/i),
    words: 'XML text; is it an OpenVINO model, or an error message of the download?'
  },
  { is: opensWith(/^[{[]/), words: 'JSON text; is it an error message of the download?' },
  { is: opensWith(/^(ir_version|producer_name|graph)\s*[:{]/), words: 'the text form of one; save it in binary form' },
  {
    is: head => head.length > 0 && head.every(byte => byte === 0),
    words: 'nothing but zeros; is the download complete?'
  }
]

/**
 * What a file is that is no ONNX model, and what to do: for messages. Some of these beginnings an ONNX model may have too:
 * ask only when it was not read.
 * @param head its first RECOGNISED_BYTES
 * @returns undefined when it is none of the known kinds
 */
export const recogniseFile = (head: Uint8Array): string | undefined => {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, RECOGNISED_BYTES))
  return KINDS.find(({ is }) => is(bytes))?.words ?? describeText(bytes)
}

/**
 * What a file is that version control keeps elsewhere; only that, since weights may look like anything else.
 * @param head all of it
 */
export const recognisePointer = (head: Uint8Array): string | undefined => {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  return POINTERS.find(({ is }) => is(bytes))?.words
}

const describeText = (head: Buffer): string | undefined => {
  const text = head.toString('utf8')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what text does not have
  if (/[\x00-\x08\x0e-\x1f\x7f\uFFFD]/.test(text)) return undefined
  const begins = text.trim().replace(/\s+/g, ' ').slice(0, 40)
  return `text that begins "${begins}"; export or download it again`
}
