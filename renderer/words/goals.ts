import Hand from '@lucide/svelte/icons/hand'
import Heart from '@lucide/svelte/icons/heart'
import Palette from '@lucide/svelte/icons/palette'
import type { Component } from 'svelte'
import type { Goal } from '../../main/ipc/contract.ts'

export interface GoalWords {
  readonly goal: Goal
  readonly icon: Component<{ size?: number | string; strokeWidth?: number | string }>
  readonly title: string
  /** What it does, and what one needs for it. */
  readonly text: string
}

/** What people come for. */
export const GOALS: readonly GoalWords[] = [
  {
    goal: 'fix-hands',
    icon: Hand,
    title: 'Fix hands',
    text: 'Let your model practise hands, from outline to detail, against a judge of your choice.',
  },
  {
    goal: 'teach-style',
    icon: Palette,
    title: 'Teach my style',
    text: 'Show your model a dozen or more pictures of yours, and it learns to draw like them.',
  },
  {
    goal: 'tune-to-taste',
    icon: Heart,
    title: 'Tune to my taste',
    text: 'Let a judge of your choice score what the model draws, and train it towards what scores well.',
  },
]
