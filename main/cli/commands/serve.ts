import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { openInBrowser } from '../../host/open-browser.ts'
import { serve, type Serving } from '../../host/serve.ts'
import { portNumber } from '../arguments.ts'
import { addCommand } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'

/** `halfstep serve` */
export function serveCommand(program: Command, invocation: Invocation): void {
  addCommand(program, {
    name: 'serve',
    summary: 'open the app in a browser on this machine',
    details:
      'The app is served on 127.0.0.1 and nowhere else. The printed address opens it in one browser, once; Enter prints another. ' +
      'From elsewhere, take a tunnel with the same port at both ends: ssh -L 8123:127.0.0.1:8123 gpu-box.',
    examples: ['serve', 'serve --port 8123 --no-open', 'serve --library /mnt/big/halfstep'],
  })
    .option('--port <port>', 'where to listen; a free one by default', portNumber)
    .option('--library <folder>', 'the library to open')
    .option('--no-open', 'only print the address')
    .action((options: ServeOptions) => invocation.run(options, (bench) => serveUntilStopped(options, bench)))
}

interface ServeOptions extends CommonOptions {
  readonly port?: number
  readonly library?: string
  readonly open: boolean
}

async function serveUntilStopped({ port, library, open }: ServeOptions, { terminal, launch, signal }: Workbench): Promise<ExitCode> {
  const serving = await serve({ launch, library, port })
  const show = (): void => {
    const address = serving.openingAddress()
    terminal.document({ address, libraryFolder: serving.libraryFolder })
    terminal.print(address)
    if (open) openInBrowser(address)
  }
  show()
  terminal.note(`Library: ${serving.libraryFolder}. Enter prints a fresh address, Ctrl+C ends Halfstep.`)
  await untilStopped(serving, signal, show)
  return EXIT.ok
}

/** Ends with the signal. People at a terminal get another address whenever they press Enter. */
async function untilStopped(serving: Serving, signal: AbortSignal, onEnter: () => void): Promise<void> {
  const lines = process.stdin.isTTY ? createInterface({ input: process.stdin }).on('line', onEnter) : undefined
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  lines?.close()
  await serving.close()
}
