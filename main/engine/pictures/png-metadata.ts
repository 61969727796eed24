/** Text inside PNG files (ISO/IEC 15948, chunks tEXt and iTXt), where A1111 and others keep how a picture was made. */
import { crc32, inflateSync } from 'node:zlib'
import { HalfstepError } from '../errors.ts'

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)
/** Length, type and CRC around a chunk's data. */
const CHUNK_FRAME = 12

interface Chunk {
  readonly type: string
  readonly data: Uint8Array
  /** Where it ends in the file. */
  readonly end: number
}

/**
 * A PNG file with texts by keyword added behind its header. A text is written as tEXt where Latin-1 can hold it and as iTXt
 * (UTF-8) elsewhere, as other programs do. Throws `picture.malformed` for bytes that are no PNG, and RangeError for a keyword that
 * is not 1–79 Latin-1 characters.
 */
export function withPngText(png: Uint8Array, texts: Readonly<Record<string, string>>): Uint8Array {
  const [header] = chunksOf(png)
  if (header?.type !== 'IHDR') throw malformed('it has no header')
  const added = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text))
  return Buffer.concat([png.subarray(0, header.end), ...added, png.subarray(header.end)])
}

/** The texts in a PNG file by keyword; of several with the same keyword the last. Throws `picture.malformed` for a damaged file. */
export function readPngText(png: Uint8Array): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { type, data } of chunksOf(png)) {
    const entry = type === 'tEXt' ? plainText(data) : type === 'iTXt' ? internationalText(data) : undefined
    if (entry !== undefined) texts.set(...entry)
  }
  return texts
}

function* chunksOf(png: Uint8Array): Generator<Chunk> {
  if (!SIGNATURE.every((byte, i) => png[i] === byte)) throw malformed('it does not begin as one')
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  for (let start = SIGNATURE.length; start < png.length;) {
    if (start + CHUNK_FRAME > png.length) throw malformed('it ends in the middle of a chunk')
    const length = view.getUint32(start)
    const end = start + CHUNK_FRAME + length
    if (end > png.length) throw malformed('it ends in the middle of a chunk')
    const type = latin1(png.subarray(start + 4, start + 8))
    if (crc32(png.subarray(start + 4, end - 4)) !== view.getUint32(end - 4)) throw malformed(`its chunk ${type} is damaged`)
    yield { type, data: png.subarray(start + 8, end - 4), end }
    start = end
  }
}

function textChunk(keyword: string, text: string): Uint8Array {
  if (!/^[\x20-\x7e\xa1-\xff]{1,79}$/.test(keyword)) throw new RangeError(`"${keyword}" cannot be the keyword of a text in a PNG file`)
  // Everything that Latin-1 has, but for the zero that ends a text.
  if (/^[\x01-\xff]*$/.test(text)) return chunk('tEXt', Buffer.from(`${keyword}\0${text}`, 'latin1'))
  // Not compressed, no language, no translated keyword.
  return chunk('iTXt', Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), Buffer.from(text, 'utf8')]))
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CHUNK_FRAME + data.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set(Buffer.from(type, 'latin1'), 4)
  bytes.set(data, 8)
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)))
  return bytes
}

/** keyword, 0, text */
function plainText(data: Uint8Array): [string, string] | undefined {
  const end = data.indexOf(0)
  return end < 0 ? undefined : [latin1(data.subarray(0, end)), latin1(data.subarray(end + 1))]
}

/** keyword, 0, whether compressed, 0, language, 0, translated keyword, 0, text in UTF-8 */
function internationalText(data: Uint8Array): [string, string] | undefined {
  const keywordEnd = data.indexOf(0)
  const languageEnd = data.indexOf(0, keywordEnd + 3)
  const translatedEnd = data.indexOf(0, languageEnd + 1)
  if (keywordEnd < 0 || languageEnd < 0 || translatedEnd < 0) return undefined
  const stored = data.subarray(translatedEnd + 1)
  const text = data[keywordEnd + 1] === 1 ? inflated(stored) : stored
  return [latin1(data.subarray(0, keywordEnd)), new TextDecoder().decode(text)]
}

function inflated(data: Uint8Array): Uint8Array {
  try {
    return inflateSync(data, { maxOutputLength: 2 ** 24 })
  } catch {
    throw malformed('a compressed text in it is damaged')
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

function malformed(fault: string): HalfstepError {
  return new HalfstepError('picture.malformed', `This is no PNG file: ${fault}.`, 'Choose another file.')
}
