import sharp from 'sharp'

/** A PNG with a slope of grey that depends on `tone`, so that each tone is another file and looks another way. */
export async function examplePng(tone = 0, { width = 24, height = 16 } = {}): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => (tone * 37 + Math.floor(i / 3) * (1 + tone)) % 256)
  return sharp(data, { raw: { width, height, channels: 3 } }).png().toBuffer()
}
