import { InvalidArgumentError, type Command } from 'commander'
import { FINGER_COUNTS, FINGER_SHARES, type FingerCount } from '../../../native-models/starter/world/hand.ts'
import { replaceFile, writeAll } from '../../../native-models/weights/replace-file.ts'
import { positiveInteger, seed } from '../arguments.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { plural, table } from '../figures.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { refuseToOverwrite } from '../output-file.ts'

/** `halfstep world …` */
export function worldCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'world', 'look at the drawings that the built-in starter model learns from')

  addCommand(group, {
    name: 'draw',
    summary: 'draw hands onto one sheet',
    details: 'The same seed gives the same drawings as in training. The number of fingers that a caption speaks of does not depend on '
      + 'the number that is drawn: that is the defect which fine-tuning mends.',
    examples: ['world draw --n 32 --out hands.png', 'world draw --n 16 --fingers 6 --captions --out six.png'],
  })
    .option('--n <count>', `drawings, up to ${MOST}`, drawingCount, 16)
    .option('--seed <seed>', 'a whole number', seed, 0)
    .option('--fingers <count>', `draw only hands with ${FINGER_COUNTS.join(', ')}; by default as often as in training`, fingerCount)
    .option('--captions', 'print each drawing\'s fingers and caption')
    .requiredOption('--out <file>', 'the PNG file to write')
    .option('--force', 'replace the output file if it exists')
    .action((options: DrawOptions) => invocation.run(options, (bench) => draw(options, bench)))
}

interface DrawOptions extends CommonOptions {
  readonly n: number
  readonly seed: number
  readonly fingers?: FingerCount
  readonly captions?: true
  readonly out: string
  readonly force?: true
}

/** As many as one may want to see on a sheet. */
const MOST = 1024

/** Pixels per drawn pixel, and drawings per row. */
const SCALE = 2
const COLUMNS = 8

/** White between drawings; one alone has none, so that it can be judged. */
const GAP = 4

function drawingCount(text: string): number {
  const count = positiveInteger(text)
  if (count <= MOST) return count
  throw new InvalidArgumentError(`It must be at most ${MOST}.`)
}

function fingerCount(text: string): FingerCount {
  const count = FINGER_COUNTS.find((option) => String(option) === text)
  if (count !== undefined) return count
  throw new InvalidArgumentError(`It must be one of ${FINGER_COUNTS.join(', ')}.`)
}

async function draw(options: DrawOptions, { terminal }: Workbench): Promise<ExitCode> {
  const { n, out, fingers } = options
  refuseToOverwrite(out, [], options.force ?? false)
  // Loaded here, because the picture library would slow down every other command.
  const [{ Drawings }, { Random }, { contactSheet }, { encodePng }] = await Promise.all([
    import('../../engine/starter/drawings.ts'),
    import('../../engine/random/random.ts'),
    import('../../engine/pictures/contact-sheet.ts'),
    import('../../engine/pictures/png.ts'),
  ])
  const shares = fingers === undefined ? FINGER_SHARES : { 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, [fingers]: 1 }
  const drawings = Drawings.draw(new Random(options.seed), 0, n, shares)
  const pictures = drawings.pictures(drawings.hands.map((_, i) => i))
  const png = await encodePng(contactSheet(pictures, { columns: COLUMNS, scale: SCALE, gap: n === 1 ? 0 : GAP }))
  await replaceFile(out, (file) => writeAll(file, png))
  const rows = drawings.hands.map((hand, i) => [`${i + 1}`, `${hand.fingers} drawn`, `"${drawings.captions[i] ?? ''}"`])
  if (options.captions === true) terminal.print(...table(rows, [0]))
  terminal.print(`Wrote ${out}: ${plural(n, 'drawing')}.`)
  terminal.document({ out, drawings: drawings.hands.map((hand, i) => ({ ...hand, caption: drawings.captions[i] })) })
  return EXIT.ok
}
