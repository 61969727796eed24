import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { ASSETS } from '../../../main/engine/assets.ts'
import { handPrompts } from '../../../main/engine/evaluation/hand-prompts.ts'
import { coloursOf } from '../../../main/engine/evaluation/prompt-colours.ts'
import { promptsAt } from '../../../main/engine/pipeline/prompt-schedule.ts'
import { loadTemplate } from '../../../main/engine/templates/load-template.ts'
import { STARTER_POSITIONS, buildVocabulary } from '../../../native-models/starter/vocabulary.ts'

const { train, heldOut } = handPrompts()
const { vocab } = buildVocabulary()

const linesOf = async (name: string): Promise<string[]> =>
  (await readFile(new URL(`prompts/${name}.txt`, ASSETS), 'utf8')).trimEnd().split('\n')

/** Tokens of a text all of whose words the starter knows, start and end included. */
function tokensOf(text: string): number {
  const words = text.match(/[a-z]+|[^a-z\s]/g) ?? []
  expect(words.filter((word) => vocab[`${word}</w>`] === undefined)).toEqual([])
  return words.length + 2
}

describe('prompts about hands', () => {
  it('are those in assets/prompts', async () => {
    expect(await linesOf('hands-train')).toEqual(train)
    expect(await linesOf('hands-held-out')).toEqual(heldOut)
  })

  it('are 64 in each list, none in both, and all ask for five fingers', () => {
    expect([train.length, heldOut.length, new Set([...train, ...heldOut]).size]).toEqual([64, 64, 128])
    for (const prompt of [...train, ...heldOut]) expect(prompt).toContain('five fingers')
  })

  it('differ between the lists in more than the order of their words', () => {
    const words = (prompt: string): string => prompt.replaceAll(',', '').split(' ').toSorted().join(' ')
    const trained = new Set(train.map(words))
    expect(heldOut.filter((prompt) => trained.has(words(prompt)))).toEqual([])
  })

  it.each([['train', train], ['held-out', heldOut]])('are spread evenly: %s', (_, prompts) => {
    const times = (pattern: RegExp): number => prompts.filter((prompt) => pattern.test(prompt)).length
    expect([/left/, /right/, /palm/, /back (open|spread|pointing)/].map(times)).toEqual([32, 32, 32, 32])
    for (const pose of ['open', 'spread', 'pointing']) expect([20, 21, 22, 23]).toContain(times(new RegExp(pose)))
    for (const skin of ['pale', 'tan', 'brown', 'dark']) expect([15, 16, 17]).toContain(times(new RegExp(`${skin} skin`)))
    for (const colour of ['red', 'blue', 'green', 'yellow', 'teal', 'purple', 'white', 'black']) {
      expect(times(new RegExp(`${colour} background`))).toBeGreaterThanOrEqual(6)
    }
  })

  it('fit the starter, in words that it knows, in every stage of its template as well', async () => {
    const template = await loadTemplate('starter-hand')
    for (const prompt of [...train, ...heldOut]) {
      expect(tokensOf(prompt)).toBeLessThanOrEqual(STARTER_POSITIONS)
      for (const fraction of [1, 0.9, 0.5, 0.1, 0]) {
        const { conditional } = promptsAt({ prompt, guidance: 1, template: { template, slots: {} } }, fraction)
        for (const { text } of conditional) expect(tokensOf(text ?? '')).toBeLessThanOrEqual(STARTER_POSITIONS)
      }
    }
  })
})

describe('the colours of a prompt', () => {
  it.each([
    ['a left hand, tan skin, blue background', { skin: 'tan', background: 'blue' }],
    ['A HAND, Pale Skin', { skin: 'pale', background: null }],
    ['a hand, blue sleeve, orange background', { skin: null, background: null }],
    ['a brown background, dark skinned', { skin: null, background: null }],
  ])('%s', (prompt, colours) => expect(coloursOf(prompt)).toEqual(colours))
})
