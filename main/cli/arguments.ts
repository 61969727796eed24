/** What people type after a command, as values. */
import { InvalidArgumentError, Option } from 'commander'
import { DEVICES } from '../engine/protocol.ts'

/** `--device`, the same wherever something is computed. */
export function deviceOption(): Option {
  return new Option('--device <device>', 'where to compute; by default the one chosen by the last probe, else cpu').choices(DEVICES)
}

/** A whole number from 1 on. Throws commander's InvalidArgumentError. */
export function positiveInteger(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It must be a whole number from 1 on.')
}

/** A TCP port, 0 for a free one. Throws commander's InvalidArgumentError. */
export function portNumber(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= 65_535) return value
  throw new InvalidArgumentError('It must be a port from 0 to 65535.')
}

/** An adapter in a merge. */
export interface WeightedPath {
  readonly path: string
  readonly strength: number
}

/**
 * `style.safetensors:0.7`; the strength is 1 when left out. Only a number after the last colon is a strength, so a path may
 * hold colons (`C:\loras\style.safetensors:0.7`). Collects, as commander calls it once per argument.
 */
export function weightedPath(text: string, earlier: readonly WeightedPath[] = []): WeightedPath[] {
  const [, path = text, number] = /^(.+):([+-]?[\d.]+(?:e[+-]?\d+)?)$/i.exec(text) ?? []
  const strength = number === undefined ? 1 : Number(number)
  if (!Number.isFinite(strength)) throw new InvalidArgumentError(`${number ?? ''} is not a number.`)
  return [...earlier, { path, strength }]
}

/** `height=64`: a size for an axis that an ONNX model leaves open. Collects. */
export function dimension(text: string, earlier: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [, name, size] = /^(.+)=(\d+)$/.exec(text) ?? []
  if (name === undefined || size === undefined) throw new InvalidArgumentError('It must look like height=64.')
  return { ...earlier, [name]: positiveInteger(size) }
}

/** A number from 0 on, such as a guidance scale. */
export function nonNegativeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value
  throw new InvalidArgumentError('It must be a number from 0 on.')
}

/** A number from 0 to 1. */
export function share(text: string): number {
  const value = nonNegativeNumber(text)
  if (value <= 1) return value
  throw new InvalidArgumentError('It must be a number from 0 to 1.')
}

/** A whole number from 0 on that leaves room to count up from. */
export function seed(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value < 2 ** 52) return value
  throw new InvalidArgumentError('It must be a whole number from 0 to 4503599627370495.')
}

/** `768x512`: width and height in pixels. */
export function pictureSize(text: string): { width: number; height: number } {
  const [, width, height] = /^(\d+)[x×](\d+)$/i.exec(text) ?? []
  if (width === undefined || height === undefined) throw new InvalidArgumentError('It must look like 768x512.')
  return { width: positiveInteger(width), height: positiveInteger(height) }
}

/** `subject=a red fox`: a value for a slot of a template. Collects. */
export function slotValue(text: string, earlier: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new InvalidArgumentError('It must look like subject="a red fox".')
  return { ...earlier, [name]: value }
}
