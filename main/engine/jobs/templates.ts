import type { JobHandler } from '../process/serve-jobs.ts'
import type { EngineJobs } from '../protocol.ts'
import { builtInTemplates, loadTemplate } from '../templates/load-template.ts'
import { parseTemplate } from '../templates/template.ts'

/** Every template that comes with the program, whole. */
export const builtIn: JobHandler<EngineJobs['template.builtIn']> = async () => {
  const keys = await builtInTemplates()
  return Promise.all(keys.map(async (key) => ({ key, template: { ...(await loadTemplate(key)) } })))
}

/** Says what is wrong with a template, or gives it back with every default filled in. */
export const check: JobHandler<EngineJobs['template.check']> = ({ template }) =>
  Promise.resolve({ template: { ...parseTemplate(template, 'The template') } })
