import type { Sheet } from './picture-grid.ts'

/** Pixels of a picture on a sheet, which has no gaps. */
const SIDE = 64

/** The first pictures of a sheet as an image that a page can hold. The rows are as long as the sheet's. */
export async function firstOfSheet(path: string, count: number): Promise<Sheet> {
  // Loaded here, because the picture library would slow down every other command.
  const { default: sharp } = await import('sharp')
  const columns = (await sharp(path).metadata()).width / SIDE
  const rows = Math.ceil(count / columns)
  const webp = await sharp(path).extract({ left: 0, top: 0, width: columns * SIDE, height: rows * SIDE }).webp({ quality: 92 }).toBuffer()
  return { uri: `data:image/webp;base64,${webp.toString('base64')}`, columns, rows }
}
