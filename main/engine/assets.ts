/** The files that come with the program. Both from this folder and from the bundled engine (out/chunks), assets/ lies two levels up. */
export const ASSETS = new URL('../../assets/', import.meta.url)
