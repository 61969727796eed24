import { randomUUID } from 'node:crypto'
import type { Services } from '../../services/services.ts'
import type { TemplateEntry as StoredEntry } from '../../services/templates/templates.ts'
import { Template, type TEMPLATE_CALLS, type TemplateEntry } from '../contract/templates.ts'
import type { HandlersOf } from '../router.ts'

export function templateHandlers({ templates, previews, tasks }: Services): HandlersOf<typeof TEMPLATE_CALLS> {
  return {
    'templates.list': async () => (await templates.list()).map(viewOf),
    'templates.save': async ({ key, template }) => viewOf(await templates.save(template, key)),
    'templates.import': async ({ text, name }) => viewOf(await templates.import(text, name)),
    'templates.preview': ({ task, ...wish }) => {
      const name = task ?? randomUUID()
      return tasks.run(name, 'Looking at a template', (running) => previews.preview(wish, name, running))
    },
    async 'templates.remove'({ key }) {
      await templates.remove(key)
      return {}
    },
  }
}

/** The engine has judged it; here it only gets its type. */
function viewOf({ template, ...entry }: StoredEntry): TemplateEntry {
  return { ...entry, template: Template.parse(template) }
}
