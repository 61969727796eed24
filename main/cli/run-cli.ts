import { Command, CommanderError } from 'commander'
import packageJson from '../../package.json' with { type: 'json' }
import { HalfstepError } from '../engine/errors.ts'
import { adapterCommands } from './commands/adapter.ts'
import { demoCommand } from './commands/demo.ts'
import { devicesCommand } from './commands/devices.ts'
import { estimatorCommand } from './commands/estimator.ts'
import { generateCommand } from './commands/generate.ts'
import { judgeCommand } from './commands/judge.ts'
import { libraryCommands } from './commands/library.ts'
import { modelCommands } from './commands/model.ts'
import { onnxCommands } from './commands/onnx.ts'
import { repairCommand } from './commands/repair.ts'
import { serveCommand } from './commands/serve.ts'
import { trainCommand } from './commands/train.ts'
import { starterCommands } from './commands/starter.ts'
import { worldCommands } from './commands/world.ts'
import { EXIT, EXIT_CODES_HELP, type ExitCode } from './exit-codes.ts'
import { Invocation, type Surroundings } from './invocation.ts'
import { Terminal } from './terminal.ts'

/** Runs `halfstep <args>` and gives the exit code. Never throws for what a person may type or a file may hold. */
export async function runCli(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const invocation = new Invocation(surroundings)
  const json = args.includes('--json')
  const program = halfstep(invocation, surroundings)
  try {
    await program.parseAsync(args, { from: 'user' })
    return invocation.exitCode
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // Help that was asked for is no error; help because a command is missing is.
    if (error.exitCode === 0) return EXIT.ok
    if (error.code === 'commander.help') return EXIT.usage
    return new Terminal({ ...surroundings, json, verbose: false }).fail(usageError(error, nearestCommand(program, args)))
  }
}

function halfstep(invocation: Invocation, { out, err }: Surroundings): Command {
  const program = new Command('halfstep')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help for a command')
    .helpCommand('help [command]', 'print help for a command')
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text), outputError: () => undefined })
    .exitOverride()
    .addHelpText('after', EXIT_CODES_HELP)
  // Commands inherit the settings above at the time they are added.
  modelCommands(program, invocation)
  adapterCommands(program, invocation)
  generateCommand(program, invocation)
  repairCommand(program, invocation)
  demoCommand(program, invocation)
  trainCommand(program, invocation)
  estimatorCommand(program, invocation)
  onnxCommands(program, invocation)
  judgeCommand(program, invocation)
  worldCommands(program, invocation)
  starterCommands(program, invocation)
  devicesCommand(program, invocation)
  libraryCommands(program, invocation)
  serveCommand(program, invocation)
  return program
}

/** What commander found wrong, in the form of all our errors. */
function usageError({ message, code }: CommanderError, command: string): HalfstepError {
  const sentence = message.replace(/^error: /, '').replace(/\n\(Did you mean (.*?)\?\)/, '. Did you mean $1?')
  const text = `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`
  return new HalfstepError('usage', /[.?]$/.test(text) ? text : `${text}.`, `See \`${command} --help\`.`, { cause: code })
}

/** `halfstep model check` for whatever begins with the words of a command. */
function nearestCommand(program: Command, [word, ...rest]: readonly string[]): string {
  const next = program.commands.find((command) => command.name() === word)
  return next === undefined ? program.name() : `${program.name()} ${nearestCommand(next, rest)}`
}
