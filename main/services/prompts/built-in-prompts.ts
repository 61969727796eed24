import type { PromptKind } from '../../store/prompt-sets.ts'

/** Prompts that come with Halfstep. */
export interface BuiltInPrompts {
  readonly key: string
  readonly name: string
  readonly kind: PromptKind
  readonly prompts: string[]
  readonly negative: string
  readonly slots: Record<string, string[]>
}

const NEGATIVE_HANDS = 'extra fingers, missing fingers, fused fingers, deformed hands'

/** People and hands of many kinds, so that an adapter learns hands and not one person. Held-out ones share no sentence with them. */
export const BUILT_IN_PROMPTS: readonly BuiltInPrompts[] = [
  {
    key: 'hands-training',
    name: 'Hands, for training',
    kind: 'training',
    negative: NEGATIVE_HANDS,
    slots: { person: ['woman', 'man', 'child', 'old man', 'old woman', 'dancer'] },
    prompts: [
      'a {person} waving at the camera',
      'a {person} holding a cup with both hands',
      'close-up of the open hand of a {person}',
      'a {person} pointing at the sky',
      'a {person} playing the {piano|guitar|violin}',
      'the hands of a {person} resting on a table',
    ],
  },
  {
    key: 'hands-held-out',
    name: 'Hands, held out',
    kind: 'held-out',
    negative: NEGATIVE_HANDS,
    slots: { person: ['student', 'gardener', 'chef'] },
    prompts: [
      'a {person} showing the palm of the left hand',
      'a {person} writing a letter by hand',
      'a {person} clapping, upper body',
      'two {person}s shaking hands',
    ],
  },
  {
    key: 'portraits',
    name: 'Portraits',
    kind: 'training',
    negative: 'blurry, deformed face',
    slots: { person: ['woman', 'man', 'child', 'old man', 'old woman'] },
    prompts: ['portrait of a {person}, {soft|hard} light', 'a {person} laughing, close-up', 'a {person} looking to the side, film still'],
  },
  {
    key: 'scenes',
    name: 'Scenes',
    kind: 'training',
    negative: '',
    slots: {},
    prompts: [
      'a lighthouse at {dawn|dusk|night}',
      'a narrow street in the rain',
      'a bowl of fruit on a wooden table',
      'a cat asleep on a window sill',
      'mountains behind a lake',
      'a small boat on a calm sea',
    ],
  },
]
