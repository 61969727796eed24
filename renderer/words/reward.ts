import type { FileKind } from '../../main/ipc/contract.ts'

/** A kind of reward as people choose it, and the files it needs. */
export interface RewardKind {
  readonly kind: string
  readonly label: string
  readonly note: string
  readonly fields: readonly RewardField[]
}

export interface RewardField {
  readonly key: string
  readonly label: string
  readonly hint: string
  /** More than one path, one per line. */
  readonly many?: boolean
  /** What may be there; a folder as well where `folder` says so. */
  readonly files: readonly FileKind[]
  readonly folder?: boolean
}

const CLIP: RewardField = {
  key: 'path',
  label: 'CLIP model',
  hint: 'A folder in the transformers layout, or a .safetensors file.',
  files: ['safetensors'],
  folder: true,
}

export const REWARD_KINDS: readonly RewardKind[] = [
  {
    kind: 'onnx',
    label: 'Own ONNX model',
    note: 'Any model that turns a picture into a number',
    fields: [{ key: 'path', label: 'ONNX file', hint: 'Takes a picture, gives a score. Its gradient is made here.', files: ['onnx'] }],
  },
  {
    kind: 'critic',
    label: 'Critic',
    note: 'A judge that was trained in Halfstep',
    fields: [{ key: 'path', label: 'Critic file', hint: 'An .onnx file.', files: ['onnx'] }],
  },
  { kind: 'prompt-match', label: 'Prompt match', note: 'How well a picture fits its prompt, by CLIP', fields: [CLIP] },
  {
    kind: 'aesthetic',
    label: 'Aesthetic',
    note: 'What people found beautiful, by LAION’s predictor',
    fields: [
      { ...CLIP, label: 'CLIP ViT-L/14' },
      { key: 'head', label: 'Predictor', hint: 'The aesthetic predictor’s own weights.', files: ['safetensors'] },
    ],
  },
  { kind: 'pickscore', label: 'PickScore', note: 'What people preferred for a prompt', fields: [{ ...CLIP, label: 'PickScore model' }] },
  { kind: 'hpsv2', label: 'HPS v2', note: 'What people preferred, another study', fields: [{ ...CLIP, label: 'HPS v2 model' }] },
  /** Chosen among the tastes that were learned, which bring their files. */
  { kind: 'taste', label: 'Your taste', note: 'Learned from the pictures you preferred', fields: [] },
  {
    kind: 'likeness',
    label: 'Likeness',
    note: 'How much a picture is like some of yours',
    fields: [CLIP, { key: 'pictures', label: 'Pictures', hint: 'Files to be like, one per line.', many: true, files: ['picture'] }],
  },
  { kind: 'variety', label: 'Variety', note: 'How much pictures of one prompt differ; goes beside another reward', fields: [] },
]

/** The words for a kind, also for one that is not in the list. */
export function rewardKindWords(kind: unknown): string {
  return REWARD_KINDS.find((one) => one.kind === kind)?.label ?? (kind === 'mixture' ? 'Mixture' : String(kind))
}
