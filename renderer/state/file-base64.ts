/** The bytes of a file that was dropped or chosen, as calls carry them. Fails as reading does: the file may be gone by now. */
export async function fileBase64(file: Blob): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const parts: string[] = []
  // A piece at a time: arguments of one call have a limit. A multiple of three, so that no piece but the last needs filling up.
  const PIECE = 3 * 2 ** 13
  for (let start = 0; start < bytes.length; start += PIECE) parts.push(btoa(String.fromCharCode(...bytes.subarray(start, start + PIECE))))
  return parts.join('')
}
