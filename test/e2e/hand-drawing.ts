import sharp from 'sharp'

/** What a drawn hand looks like. */
export interface Hand {
  readonly fingers: number
  /** Which of the colours and poses. */
  readonly look: number
}

const LOOKS = [
  { ground: '#c9d8cf', skin: '#d99a76', line: '#7c4a31', turn: -8 },
  { ground: '#e8d7b8', skin: '#8a5a3c', line: '#47291a', turn: 14 },
  { ground: '#c8cfe3', skin: '#f0c3a4', line: '#9a5f43', turn: 3 },
  { ground: '#e3c5c0', skin: '#b87b55', line: '#63391f', turn: -18 },
]

/** A hand as a PNG, drawn by us: what stands in for a model's pictures in tests and screenshots. */
export async function drawHand({ fingers, look }: Hand, side = 384): Promise<Buffer> {
  return sharp(Buffer.from(handSvg({ fingers, look }))).resize(side, side).png().toBuffer()
}

function handSvg({ fingers, look }: Hand): string {
  const { ground, skin, line, turn } = LOOKS[look % LOOKS.length]!
  const spread = Array.from({ length: fingers - 1 }, (_, index) => -42 + (78 * index) / Math.max(1, fingers - 2))
  const long = spread.map((angle, index) => finger(angle, 96 - Math.abs(angle - 4) * 0.55 + (index % 2) * 5))
  const strokes = [...long, finger(78, 66)].join('')
  const shape = `<g fill="none" stroke-linecap="round"><path d="M128 250 L128 176" stroke-width="62"/>${strokes}</g>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256"><rect width="256" height="256" fill="${ground}"/>
    <g transform="rotate(${turn} 128 160)">
      <g stroke="${line}" fill="${line}" transform="translate(0 2)">${shape}<ellipse cx="128" cy="166" rx="48" ry="50"/></g>
      <g stroke="${skin}" fill="${skin}" transform="scale(0.985) translate(2 2)">${shape}<ellipse cx="128" cy="166" rx="46" ry="48"/></g>
      <path d="M104 182 Q128 196 152 178 M106 160 Q124 172 150 152" stroke="${line}" stroke-width="2.5" fill="none" opacity="0.6"/>
    </g></svg>`
}

/** One finger from the palm outwards; degrees to the right of straight up. */
function finger(angle: number, length: number): string {
  return `<path d="M128 166 L128 ${166 - 36 - length}" stroke-width="21" transform="rotate(${angle.toFixed(1)} 128 166)"/>`
}
