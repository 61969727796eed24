import { HalfstepError } from '../../main/engine/errors.ts'

const PICKLE_EXTENSIONS = /\.(ckpt|pt|pth|bin|pkl|pickle)$/i

/** Whether a file's name says that it is a pickle. */
export function isPickleName(path: string): boolean {
  return PICKLE_EXTENSIONS.test(path)
}

/**
 * Whether a file's first bytes are those of a zip archive (PyTorch's format since 1.6) or of a bare pickle
 * (protocol 2 to 5). A safetensors header may begin likewise by chance, but has "{" as its ninth byte.
 */
export function looksPickled(start: Uint8Array): boolean {
  const [first = 0, second = 0, third, fourth] = start
  const isZip = first === 0x50 && second === 0x4b && third === 0x03 && fourth === 0x04
  const isPickle = first === 0x80 && second >= 2 && second <= 5
  return (isZip || isPickle) && start[8] !== 0x7b
}

/** The refusal of a pickle: loading one runs whatever code it contains. */
export function pickled(path: string): HalfstepError {
  return new HalfstepError(
    'weights.pickled',
    `${path} is a pickled file, which can run any program hidden in it when it is opened, so Halfstep does not read it.`,
    'Download the model as .safetensors, or convert it: load it in ComfyUI or the WebUI and save the checkpoint as .safetensors.',
    { file: path },
  )
}
