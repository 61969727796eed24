import type { Command } from 'commander'
import { addCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'
import { summaryLines, verdictLine } from '../judge-lines.ts'

/** `halfstep judge` */
export function judgeCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'judge',
    summary: 'count the fingers in pictures of hands',
    details: 'Made for pictures as the built-in starter model draws them: one upright hand on a plain background, in flat colours. '
      + 'It compares colours and follows the hand\'s edge; no network is asked. Pictures are scaled to 64 × 64 first, and of one '
      + 'that is not square the middle is taken.',
    examples: ['judge pictures/*.png', 'judge hand.png --json'],
  })
    .argument('<images...>', 'PNG, JPEG or WebP files')
    .action((paths: string[], options: CommonOptions) => invocation.run(options, (bench) => judge(paths, bench)))
}

async function judge(paths: readonly string[], { terminal, signal }: Workbench): Promise<ExitCode> {
  // Loaded here, because the picture library would slow down every other command.
  const [{ readJudged }, { judgePicture }, { summarise }] = await Promise.all([
    import('../../engine/judge/read-judged.ts'),
    import('../../engine/judge/judge-picture.ts'),
    import('../../engine/judge/summarise.ts'),
  ])
  const judged = []
  for (const path of paths) {
    signal.throwIfAborted()
    const verdict = judgePicture(await readJudged(path))
    judged.push({ path, ...verdict })
    terminal.print(verdictLine(path, verdict, terminal.colors))
  }
  const summary = summarise(judged)
  if (paths.length > 1) terminal.print('', ...summaryLines(summary))
  terminal.document({ pictures: judged, summary })
  return EXIT.ok
}
