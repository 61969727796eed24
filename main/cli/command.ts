import type { Command } from 'commander'
import { EXIT_CODES_HELP } from './exit-codes.ts'

export interface CommandTexts {
  readonly name: string
  /** One line for the list of commands; the help of the command itself adds `details`. */
  readonly summary: string
  readonly details?: string
  /** Complete command lines, without `halfstep`. */
  readonly examples: readonly string[]
}

/** Adds a command under `parent`, with the options that all commands have and help that shows how it is used. */
export function addCommand(parent: Command, { name, summary, details = '', examples }: CommandTexts): Command {
  const description = [sentence(summary), details].filter(Boolean).join('\n\n')
  const command = parent.command(name).summary(summary).description(description)
  const shown = examples.map((example) => `  halfstep ${example}`).join('\n')
  const heading = examples.length === 1 ? 'Example' : 'Examples'
  return command
    .option('--json', 'print one JSON document; {"error": …} when something is wrong')
    .option('--verbose', 'also print what the engine and its libraries say')
    .addHelpText('after', `\n${heading}:\n${shown}\n${EXIT_CODES_HELP}`)
}

/** Adds a group of commands: `halfstep model …`. */
export function addGroup(parent: Command, name: string, summary: string): Command {
  return parent.command(name).summary(summary).description(sentence(summary))
}

/** Lists have summaries as they are; a command's own help begins with a sentence. */
function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}
