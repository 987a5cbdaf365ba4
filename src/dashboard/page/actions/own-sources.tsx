import { useState } from 'preact/hooks'
import type { SourceFacts } from '../cluster-state.ts'
import type { ActionProps } from './actions.tsx'

const EXAMPLE = `source:
  name: door
  dir: /data/door
  model: ocr`

/** Those of the node that serves this page: no other device takes such orders from elsewhere. */
export const OwnSources = ({ state, act }: ActionProps) => {
  const own = state.sources.filter(({ device, isAsked }) => device === state.answeredBy && !isAsked)
  const [config, setConfig] = useState('')
  return (
    <details>
      <summary>Sources of {state.answeredBy}</summary>
      {own.map(source => (
        <OwnSource key={source.name} source={source} act={act} />
      ))}
      <form
        class="action"
        onSubmit={event => {
          event.preventDefault()
          void act('add-source', { config }, 'Added, until this node is started anew.')
        }}
      >
        <label for="config">Add one, as a config file has it; its results go where those of this node go</label>
        <textarea
          id="config"
          rows={5}
          required
          spellcheck={false}
          placeholder={EXAMPLE}
          value={config}
          onInput={event => setConfig(event.currentTarget.value)}
        />
        <button type="submit">Add the source</button>
      </form>
      <p class="note">What is changed here holds until this node is started anew: its config file stays as it is.</p>
    </details>
  )
}

interface OwnSourceProps {
  readonly source: SourceFacts
  readonly act: ActionProps['act']
}

const OwnSource = ({ source: { name, weight: known }, act }: OwnSourceProps) => {
  const [written, setWritten] = useState<string>()
  const weight = written ?? String(known)
  return (
    <form
      class="action"
      onSubmit={event => {
        event.preventDefault()
        void act('weight', { name, weight: Number(weight) }, `${name} has the weight ${weight} now.`)
      }}
    >
      <strong>{name}</strong>
      <span class="field">
        <label for={`weight-${name}`}>Weight</label>
        <input
          id={`weight-${name}`}
          type="number"
          min="0.000001"
          step="any"
          required
          value={weight}
          onInput={event => setWritten(event.currentTarget.value)}
        />
      </span>
      <button type="submit">Set</button>
      <button type="button" onClick={() => void act('remove-source', { name }, `${name} has ended.`)}>
        Remove {name}
      </button>
    </form>
  )
}
