import stylistic from '@stylistic/eslint-plugin'
import boundaries from 'eslint-plugin-boundaries'
import svelte from 'eslint-plugin-svelte'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'
import { layerRules, layerSettings } from './layers.config.js'

/** Habits every file keeps, whatever its language. */
const everywhere = {
  plugins: { '@stylistic': stylistic },
  rules: {
    // `== null` is the one short way to say "null or undefined".
    'eqeqeq': ['error', 'always', { null: 'ignore' }],
    'no-console': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'object-shorthand': 'error',
    '@stylistic/semi': ['error', 'never'],
    '@stylistic/no-extra-semi': 'error',
    '@stylistic/quotes': ['error', 'single', { avoidEscape: true, allowTemplateLiterals: 'always' }],
    '@stylistic/max-len': ['error', { code: 140, ignoreUrls: true }],
    '@stylistic/comma-dangle': ['error', 'only-multiline'],
    '@stylistic/no-tabs': 'error',
    '@stylistic/no-trailing-spaces': 'error',
    '@stylistic/no-multiple-empty-lines': ['error', { max: 1, maxBOF: 0, maxEOF: 0 }],
    '@stylistic/eol-last': 'error',
    '@stylistic/member-delimiter-style': ['error', { multiline: { delimiter: 'none' }, singleline: { delimiter: 'semi' } }],
  },
}

/** What the compiler knows and TypeScript alone does not insist on. */
const typed = {
  extends: [tseslint.configs.strictTypeChecked],
  languageOptions: { parserOptions: { projectService: true, extraFileExtensions: ['.svelte'] } },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/consistent-type-exports': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description', 'ts-ignore': true }],
    '@typescript-eslint/only-throw-error': 'error',
    // Typed arrays are indexed in every numeric loop, where a bound that was just checked is clearer than a fallback.
    '@typescript-eslint/no-non-null-assertion': 'off',
    // Lookups by names that come from files: `Record<string, T>` really may lack the key.
    '@typescript-eslint/no-dynamic-delete': 'off',
    // `() => expect(…)` and one-line callbacks read better without braces.
    '@typescript-eslint/no-confusing-void-expression': 'off',
    '@typescript-eslint/no-meaningless-void-operator': 'off',
    // Tables of plain functions written as methods are handed around freely here; none of them uses `this`.
    '@typescript-eslint/unbound-method': 'off',
    '@typescript-eslint/no-generated-empty-object-type': 'off',
    // A type parameter that appears once still names what the caller expects.
    '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    // An asynchronous interface may have synchronous implementations.
    '@typescript-eslint/require-await': 'off',
  },
}

export default defineConfig(
  globalIgnores(['out/', 'dist/', 'test-results/', 'test/golden/*/', 'node_modules/']),
  { files: ['**/*.{js,mjs,cjs,ts,svelte}'], ...everywhere },
  { files: ['**/*.ts'], ...typed },
  { files: ['**/*.svelte'], ...typed, extends: [typed.extends, svelte.configs.recommended] },
  {
    files: ['**/*.svelte'],
    languageOptions: { parserOptions: { projectService: true, extraFileExtensions: ['.svelte'], parser: tseslint.parser } },
    rules: {
      // Component props and runes are declared with `let` and assigned from the template.
      'prefer-const': 'off',
      'svelte/prefer-const': ['error', { excludedRunes: ['$props', '$state'] }],
      'svelte/no-at-html-tags': 'error',
      'svelte/require-each-key': 'error',
    },
  },
  {
    files: ['*/**/*.{js,mjs,ts,svelte}'],
    plugins: { boundaries },
    settings: layerSettings,
    rules: layerRules,
  },
  // Programs that talk to a terminal.
  { files: ['main/cli/**', 'test/**', 'main/host/launch.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Tests hand on purpose what the types forbid, and read what they know is there.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
    },
  },
)
