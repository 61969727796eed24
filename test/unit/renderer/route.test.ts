import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hrefOf, parseRoute, PLAIN_PAGES, type Route, SHELVES } from '../../../renderer/state/route.ts'

const ROUTES: readonly Route[] = [
  ...PLAIN_PAGES.map((page) => ({ page })),
  ...SHELVES.flatMap((page) => [{ page, chosen: null }, { page, chosen: 'hands-five-fingers' }]),
  { page: 'runs' },
  { page: 'run', id: '0de47d19' },
  { page: 'adapter', id: 'ü/ä ?#' },
  { page: 'compare', ids: ['a', 'b'] },
  { page: 'train', goal: null },
  { page: 'train', goal: 'fix-hands' },
]

describe('the address of a page', () => {
  it.each(ROUTES.map((route) => [hrefOf(route), route] as const))('%s leads back to it', (href, route) => {
    expect(parseRoute(href)).toEqual(route)
  })

  it('is Home for everything that is none of ours, and never fails', () => {
    for (const hash of ['', '#', '#/', '#/nowhere', '#/models/extra', '#/runs/a/b', '#/%E0%A4%A', 'models']) {
      expect([hash, parseRoute(hash).page]).toEqual([hash, hash === 'models' ? 'models' : 'home'])
    }
    fc.assert(fc.property(fc.string(), (hash) => void parseRoute(hash)))
  })
})
