import { openCheckpoint } from '../../../native-models/checkpoint/open-checkpoint.ts'
import { HalfstepError } from '../errors.ts'
import { Cases } from './cases.ts'
import { checkChain, checkReward } from './chain-group.ts'
import type { CheckContext, CheckSettings } from './check-context.ts'
import type { CheckLine, CheckReport, SkippedGroup } from './report.ts'
import { checkRlr } from './rlr-group.ts'
import { checkText } from './text-group.ts'
import { UnetEvaluators } from './unet-evaluator.ts'
import { checkUnet, checkUnetLora } from './unet-group.ts'
import { checkVae } from './vae-group.ts'

export interface CheckRequest {
  /** A diffusers folder or a single file. */
  readonly model: string
  readonly cases: string
  /** Only outputs whose name begins with this. */
  readonly only?: string
  readonly settings: CheckSettings
}

interface Group {
  readonly prefix: string
  readonly check: (context: CheckContext) => Promise<CheckLine[]>
}

/** The groups of golden/README.md, in the order in which later ones build on earlier ones. */
const GROUPS: readonly Group[] = [
  { prefix: 'text.', check: checkText },
  { prefix: 'unet.', check: checkUnet },
  { prefix: 'unet_lora.', check: checkUnetLora },
  { prefix: 'vae.', check: checkVae },
  { prefix: 'ddim.', check: checkChain },
  { prefix: 'reward.', check: checkReward },
  { prefix: 'rlr.', check: checkRlr },
]

/**
 * Computes every group of a cases file again from the inputs in it and compares.
 * @param onLine called with each output as soon as it is there
 * @throws HalfstepError when the model or the cases file cannot be opened; what fails later is a failure in the report
 */
export async function checkModel(request: CheckRequest, onLine: (line: CheckLine) => void = () => undefined): Promise<CheckReport> {
  const cases = await Cases.open(request.cases)
  const checkpoint = await openCheckpoint(request.model)
  const wants = (output: string): boolean => output.startsWith(request.only ?? '')
  const evaluators = new UnetEvaluators()
  const context: CheckContext = { checkpoint, cases, settings: request.settings, evaluators, wants }
  const lines: CheckLine[] = []
  const failures: SkippedGroup[] = []
  const notCovered = unknownGroups(cases, wants)

  for (const { prefix, check } of GROUPS) {
    const group = prefix.slice(0, -1)
    if (!cases.names(prefix).some(wants)) continue
    try {
      for (const line of await check(context)) {
        lines.push(line)
        onLine(line)
      }
    } catch (error) {
      failures.push({ group, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  await evaluators.dispose()
  if (lines.length + failures.length + notCovered.length === 0) {
    const filter = request.only === undefined ? '' : ` that begins with ${request.only}`
    throw new HalfstepError(
      'cases.malformed',
      `${request.cases} holds no output${filter} that can be checked.`,
      'See test/golden/README.md for the names.',
    )
  }
  return { lines, failures, notCovered, passed: failures.length === 0 && lines.every((line) => line.passed) }
}

/** Groups of the file that no check computes. `lora` holds inputs only. */
function unknownGroups(cases: Cases, wants: (output: string) => boolean): SkippedGroup[] {
  const groups = new Set(cases.names().filter(wants).map((name) => name.split('.', 1)[0] ?? name))
  return [...groups]
    .filter((group) => group !== 'lora' && !GROUPS.some(({ prefix }) => prefix === `${group}.`))
    .map((group) => ({ group, reason: 'this version does not know it' }))
}
