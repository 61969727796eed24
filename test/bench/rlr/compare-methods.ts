/** What is compared: RLR in its variants and its peers, each as the estimator of a recipe. */

export interface Method {
  /** Names its files. */
  readonly key: string
  readonly name: string
  /** As in a recipe. */
  readonly estimator: Readonly<Record<string, unknown>>
  /** Whether prompts come in the template's stages, in training and when judged, and windows are proposed by its emphasis. */
  readonly template: boolean
  /** Key of the method whose tuning runs choose its learning rate: one for all that differ in windows and template alone. */
  readonly tunedAs: string
}

/** Last steps that take the reward's gradient, and windows that spend about one VJP on every other step of eight. */
const FIRST_ORDER_DEPTH = 1
const IMPORTANCE_WINDOWS: Readonly<Record<number, number>> = { 1: 7, 2: 4, 4: 2 }

const LENGTHS = [1, 2, 4] as const
/** The length that every coverage is tuned at. */
const TUNED_LENGTH = 2
const COVERAGES = ['zeroth-order', 'importance', 'none'] as const
export type Coverage = (typeof COVERAGES)[number]

/** RLR with every coverage and window length, without and with the template. */
function rlr(coverage: Coverage, windowLength: number, template: boolean): Method {
  const windows = coverage === 'importance' ? (IMPORTANCE_WINDOWS[windowLength] ?? 1) : 1
  return {
    key: rlrKey(coverage, windowLength, template),
    name: `rlr, ${coverage}, h = ${windowLength}${windows === 1 ? '' : `, m = ${windows}`}${template ? ', template' : ''}`,
    estimator: {
      kind: 'rlr', firstOrderDepth: FIRST_ORDER_DEPTH, windowLength, windows, coverage,
      proposal: { kind: template ? 'template' : 'uniform' },
    },
    template,
    tunedAs: rlrKey(coverage, TUNED_LENGTH, false),
  }
}

export function rlrKey(coverage: Coverage, windowLength: number, template: boolean): string {
  return `rlr-${coverage}-h${windowLength}${template ? '-template' : ''}`
}

function plain(key: string, name: string, estimator: Method['estimator']): Method {
  return { key, name, estimator, template: false, tunedAs: key }
}

export const METHODS: readonly Method[] = [
  ...[false, true].flatMap((template) => COVERAGES.flatMap((coverage) => LENGTHS.map((h) => rlr(coverage, h, template)))),
  // The demo's: first order through all steps but the two next to the noise, both of which every update takes a window of.
  plain('rlr-deep', 'rlr, importance, K = 6, h = 1, m = 2', {
    kind: 'rlr', firstOrderDepth: 6, windowLength: 1, windows: 2, coverage: 'importance', proposal: { kind: 'uniform' },
  }),
  plain('fo', 'FO only (alignprop, K = 1)', { kind: 'alignprop', depth: 1 }),
  plain('fo-zo', 'FO + ZO (rlr without windows)', {
    kind: 'rlr', firstOrderDepth: FIRST_ORDER_DEPTH, windows: 0, coverage: 'zeroth-order',
  }),
  plain('alignprop', 'alignprop, K random', { kind: 'alignprop', depth: 'random' }),
  plain('ddpo', 'ddpo', { kind: 'ddpo' }),
  plain('reinforce', 'reinforce', { kind: 'reinforce' }),
  plain('zo', 'zo', { kind: 'zo' }),
  plain('public-code', 'public-code', { kind: 'public-code' }),
]

/** The unbiased coverages. */
const PAIR = ['zeroth-order', 'importance'] as const

/** The charts: what is shown together. */
export const GROUPS: readonly { readonly name: string; readonly title: string; readonly keys: readonly string[] }[] = [
  {
    name: 'methods',
    title: 'RLR and its peers',
    keys: [
      ...PAIR.map((coverage) => rlrKey(coverage, 1, false)), 'rlr-deep',
      'fo-zo', 'fo', 'alignprop', 'ddpo', 'reinforce', 'public-code', 'zo',
    ],
  },
  ...COVERAGES.map((coverage) => ({
    name: coverage,
    title: `RLR, coverage ${coverage}`,
    keys: [
      ...[false, true].flatMap((template) => LENGTHS.map((h) => rlrKey(coverage, h, template))),
      ...(coverage === 'importance' ? ['rlr-deep'] : []),
    ],
  })),
]

/** That the first is worse than the second. `base` is the model as it was. */
export interface Claim {
  readonly claim: string
  readonly worse: string
  readonly better: string
}

/** What the paper found. */
export const PAPER: readonly Claim[] = [
  { claim: 'base < DDPO', worse: 'base', better: 'ddpo' },
  { claim: 'DDPO < AlignProp', worse: 'ddpo', better: 'alignprop' },
  { claim: 'AlignProp < RLR', worse: 'alignprop', better: rlrKey('zeroth-order', 2, false) },
  { claim: 'FO < RLR', worse: 'fo', better: rlrKey('zeroth-order', 2, false) },
  { claim: 'FO + ZO < RLR', worse: 'fo-zo', better: rlrKey('zeroth-order', 2, false) },
  { claim: 'FO + HO < RLR', worse: rlrKey('none', 2, false), better: rlrKey('zeroth-order', 2, false) },
  ...LENGTHS.map((h) => ({
    claim: `without < with template (h = ${h})`,
    worse: rlrKey('zeroth-order', h, false),
    better: rlrKey('zeroth-order', h, true),
  })),
]

/** What we expect of what is ours: windows in place of perturbations, and first order through more steps. */
export const OURS: readonly Claim[] = [
  ...LENGTHS.map((h) => ({
    claim: `zeroth-order < importance (h = ${h})`, worse: rlrKey('zeroth-order', h, false), better: rlrKey('importance', h, false),
  })),
  ...LENGTHS.map((h) => ({
    claim: `importance: without < with template (h = ${h})`, worse: rlrKey('importance', h, false), better: rlrKey('importance', h, true),
  })),
  { claim: 'FO < importance (h = 1)', worse: 'fo', better: rlrKey('importance', 1, false) },
  { claim: 'importance (h = 1): K = 1 < K = 6', worse: rlrKey('importance', 1, false), better: 'rlr-deep' },
  ...([
    ['AlignProp', 'alignprop'], ['DDPO', 'ddpo'], ['REINFORCE', 'reinforce'], ['public code', 'public-code'],
    ['FO + HO (h = 2)', rlrKey('none', 2, false)],
  ] as const).map(([name, worse]) => ({ claim: `${name} < importance, K = 6`, worse, better: 'rlr-deep' })),
]
