import Box from '@lucide/svelte/icons/box'
import ChartSpline from '@lucide/svelte/icons/chart-spline'
import GraduationCap from '@lucide/svelte/icons/graduation-cap'
import House from '@lucide/svelte/icons/house'
import Images from '@lucide/svelte/icons/images'
import Layers from '@lucide/svelte/icons/layers-2'
import MessageSquare from '@lucide/svelte/icons/message-square-text'
import RouteIcon from '@lucide/svelte/icons/route'
import Scale from '@lucide/svelte/icons/scale'
import SettingsIcon from '@lucide/svelte/icons/settings-2'
import Sparkles from '@lucide/svelte/icons/sparkles'
import type { Component } from 'svelte'
import type { Route } from '../state/route.ts'

export interface Destination {
  readonly label: string
  readonly icon: Component<{ size?: number | string }>
  readonly route: Route
  /** The letter that leads there after `g`. */
  readonly key: string
}

export interface DestinationGroup {
  /** Null for those that need no heading. */
  readonly heading: string | null
  readonly destinations: readonly Destination[]
}

/** Every page there is, in the order in which work goes: what one has, what one does with it, what comes of it. */
export const NAVIGATION: readonly DestinationGroup[] = [
  { heading: null, destinations: [{ label: 'Home', icon: House, route: { page: 'home' }, key: 'h' }] },
  {
    heading: 'Prepare',
    destinations: [
      { label: 'Models', icon: Box, route: { page: 'models' }, key: 'm' },
      { label: 'Datasets', icon: Images, route: { page: 'datasets', chosen: null }, key: 'd' },
      { label: 'Prompts', icon: MessageSquare, route: { page: 'prompts', chosen: null }, key: 'p' },
      { label: 'Templates', icon: RouteIcon, route: { page: 'templates', chosen: null }, key: 't' },
      { label: 'Rewards', icon: Scale, route: { page: 'rewards', chosen: null }, key: 'w' },
    ],
  },
  {
    heading: 'Teach',
    destinations: [
      { label: 'Train', icon: GraduationCap, route: { page: 'train', goal: null }, key: 'n' },
      { label: 'Runs', icon: ChartSpline, route: { page: 'runs' }, key: 'r' },
    ],
  },
  {
    heading: 'Use',
    destinations: [
      { label: 'Adapters', icon: Layers, route: { page: 'adapters' }, key: 'a' },
      { label: 'Studio', icon: Sparkles, route: { page: 'studio' }, key: 's' },
    ],
  },
]

export const SETTINGS: Destination = { label: 'Settings', icon: SettingsIcon, route: { page: 'settings' }, key: ',' }

/** The place in the navigation that a route belongs to. */
export function placeOf({ page }: Route): Route['page'] {
  if (page === 'adapter') return 'adapters'
  if (page === 'repair') return 'studio'
  return page === 'run' || page === 'compare' ? 'runs' : page
}
