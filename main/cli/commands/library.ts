import type { Command } from 'commander'
import { HalfstepError } from '../../engine/errors.ts'
import { engineIn } from '../../services/engine.ts'
import { restoreLibrary } from '../../services/library/backup-library.ts'
import type { Finding } from '../../services/library/findings.ts'
import { openForRepair } from '../../services/library/open-for-repair.ts'
import { libraryFolder } from '../../services/library-folder.ts'
import { openServices, type Services } from '../../services/services.ts'
import type { Task } from '../../services/tasks.ts'
import { addCommand, addGroup } from '../command.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { CommonOptions, Invocation, Workbench } from '../invocation.ts'

/** `halfstep library …` */
export function libraryCommands(program: Command, invocation: Invocation): void {
  const group = addGroup(program, 'library', 'check, repair, back up and restore what Halfstep remembers')

  addLibraryOption(addCommand(group, {
    name: 'verify',
    summary: 'check that the database and every file are in order',
    details: 'Reads every picture and adapter and compares it with its name. Changes nothing; ends with 1 when something is wrong.',
    examples: ['library verify'],
  })).action((options: LibraryOptions) => invocation.run(options, (bench) => verify(options, bench)))

  addLibraryOption(addCommand(group, {
    name: 'repair',
    summary: 'bring database and files together again',
    details:
      'Files that the database does not know come back into it, runs with their curves and pictures. A database that cannot be read ' +
      'is put aside and made again from the files. Damaged files are put aside; nothing of use is deleted.',
    examples: ['library repair'],
  })).action((options: LibraryOptions) => invocation.run(options, (bench) => repair(options, bench)))

  addLibraryOption(addCommand(group, {
    name: 'backup',
    summary: 'copy the library into a new folder, also while it is in use',
    examples: ['library backup /media/disk/halfstep-2026-05'],
  }))
    .argument('<folder>', 'a folder that is empty or not there yet')
    .action((target: string, options: LibraryOptions) => invocation.run(options, (bench) => backup(target, options, bench)))

  addLibraryOption(addCommand(group, {
    name: 'restore',
    summary: 'put a backup in the place of the library',
    details: 'The library there was is moved aside, never deleted. Close Halfstep first.',
    examples: ['library restore /media/disk/halfstep-2026-05'],
  }))
    .argument('<backup>', 'a folder that `library backup` made')
    .action((source: string, options: LibraryOptions) => invocation.run(options, (bench) => restore(source, options, bench)))
}

interface LibraryOptions extends CommonOptions {
  readonly library?: string
}

function addLibraryOption(command: Command): Command {
  return command.option('--library <folder>', 'another library than the usual one')
}

async function verify({ library }: LibraryOptions, bench: Workbench): Promise<ExitCode> {
  const { terminal } = bench
  const findings = await using(openServices(engineIn(bench.launch), library), (services) => services.library.verify(taskOf(bench)))
  terminal.document({ findings })
  terminal.print(...findings.map(lineOf))
  if (findings.length === 0) terminal.print('The library is in order.')
  else terminal.note('`halfstep library repair` mends what can be mended.')
  return findings.length === 0 ? EXIT.ok : EXIT.failed
}

async function repair({ library }: LibraryOptions, bench: Workbench): Promise<ExitCode> {
  const { terminal } = bench
  const { services, putAside } = openForRepair(engineIn(bench.launch), library)
  const { repaired, left } = await using(services, () => services.library.repair(taskOf(bench)))
  terminal.document({ putAside, repaired, left })
  if (putAside !== null) terminal.print(`The database could not be trusted and was put aside as ${putAside}.`)
  terminal.print(...repaired.map(({ message }) => message), ...left.map(lineOf))
  if (repaired.length === 0 && left.length === 0) terminal.print('The library is in order.')
  return left.length === 0 ? EXIT.ok : EXIT.failed
}

async function backup(target: string, { library }: LibraryOptions, bench: Workbench): Promise<ExitCode> {
  await using(openServices(engineIn(bench.launch), library), (services) => services.library.backup(target, taskOf(bench)))
  bench.terminal.document({ backup: target })
  bench.terminal.print(`The library was copied to ${target}.`)
  return EXIT.ok
}

async function restore(source: string, { library }: LibraryOptions, bench: Workbench): Promise<ExitCode> {
  const folder = library ?? libraryFolder()
  const aside = await restoreLibrary(source, folder, taskOf(bench))
  bench.terminal.document({ library: folder, movedAside: aside })
  bench.terminal.print(`${folder} is as it was backed up.`)
  if (aside !== null) bench.terminal.print(`The library that was there lies in ${aside} now.`)
  return EXIT.ok
}

/** Does something with the services and closes them whatever happens. */
async function using<T>(services: Services, work: (services: Services) => Promise<T>): Promise<T> {
  try {
    return await work(services)
  } finally {
    services.close()
  }
}

/** Long work as the command line has it: a line of status, ended by Ctrl+C. */
function taskOf({ signal, terminal }: Workbench): Task {
  return {
    signal,
    progress: (done, total, note) => terminal.status([total === null ? '' : `${done} of ${total}`, note ?? ''].filter(Boolean).join(': ')),
    check: () => {
      if (signal.aborted) throw new HalfstepError('cancelled', 'Interrupted.')
    },
  }
}

function lineOf({ kind, message }: Finding): string {
  return `${kind}: ${message}`
}
