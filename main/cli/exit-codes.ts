/** What the command's exit code tells a script. */
export const EXIT = {
  ok: 0,
  /** A check did not pass, or an error that was foreseen: a damaged file, a device that fails. */
  failed: 1,
  /** The command line itself makes no sense. */
  usage: 2,
  /** Ended by Ctrl+C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES_HELP = `
Exit codes:
  0    done, and every check passed
  1    a check failed, or something is wrong with a file or device
  2    the command line is wrong
  130  interrupted with Ctrl+C`
