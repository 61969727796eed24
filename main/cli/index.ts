import { forkLauncher } from '../engine/process/fork-launcher.ts'
import { runCli } from './run-cli.ts'

const { stdout, stderr, env, argv } = process

// Whoever reads the output may stop early (`| head`); what is then left to say is for nobody.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await runCli(argv.slice(2), { out: stdout, err: stderr, env, launch: forkLauncher() })
