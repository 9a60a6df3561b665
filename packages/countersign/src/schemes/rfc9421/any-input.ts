import { isRefusal, type Refusal, refuse } from '../../reasons/reasons.ts'
import { parseDictionary } from '../../structured-fields/parse.ts'
import { serializeInnerList } from '../../structured-fields/serialize.ts'
import type { BareItem, InnerList, Parameters } from '../../structured-fields/types.ts'
import { type Component, componentOf, maxComponents } from './component.ts'
import { type CoveredComponents, coverageFrom, maxSignatures, type SignatureInput } from './input.ts'

/** Most parameters of one signature. RFC 9421 registers six. */
const maxParameters = 16

/** Longest field that goes the long way, in characters: it costs twenty times a plain one of the same length. */
const maxLength = 2048

/** Reads any legal `Signature-Input`, strictly: a label or parameter given twice is refused. RFC 9421 section 4.1. */
export function readAnyInput(value: string): readonly SignatureInput[] | Refusal {
  if (value.length > maxLength) return malformed('is too long for its form')
  const parsed = parseDictionary(value, { onDuplicate: 'refuse' })
  if (!parsed.ok) return malformed(`${parsed.problem} at ${parsed.at}`)
  if (parsed.value.size > maxSignatures) return malformed(`has more than ${maxSignatures} members`)
  const inputs: SignatureInput[] = []
  for (const [label, member] of parsed.value) {
    if (member.kind !== 'inner-list') return malformed('has a member that is not an inner list')
    const input = readMember(label, member)
    if (isRefusal(input)) return input
    inputs.push(input)
  }
  return inputs
}

function readMember(label: string, list: InnerList): SignatureInput | Refusal {
  const { parameters } = list
  if (parameters.size > maxParameters) return malformed(`has more than ${maxParameters} parameters`)
  for (const name of ['created', 'expires']) {
    if (!isAbsentOr('integer', parameters.get(name))) return malformed(`${name} is not an integer`)
  }
  for (const name of ['nonce', 'alg', 'keyid', 'tag']) {
    if (!isAbsentOr('string', parameters.get(name))) return malformed(`${name} is not a string`)
  }
  const coverage = readCoverage(list)
  if (isRefusal(coverage)) return coverage
  return {
    label,
    coverage,
    signatureParams: serializeInnerList(list),
    created: integerOf(parameters, 'created'),
    expires: integerOf(parameters, 'expires'),
    nonce: stringOf(parameters, 'nonce'),
    alg: stringOf(parameters, 'alg'),
    keyid: stringOf(parameters, 'keyid'),
    tag: stringOf(parameters, 'tag'),
  }
}

function readCoverage(list: InnerList): CoveredComponents | Refusal {
  if (list.items.length > maxComponents) return malformed(`covers more than ${maxComponents} components`)
  const components: Component[] = []
  for (const item of list.items) {
    if (item.kind !== 'string') return malformed('has a component that is not a string')
    const component = componentOf(item.value, item.parameters)
    if (component === undefined) return malformed('has a component that is unknown or has unknown parameters')
    if (components.some((one) => one.identity === component.identity))
      return malformed('has a component twice')
    components.push(component)
  }
  return coverageFrom(components)
}

function isAbsentOr(kind: BareItem['kind'], item: BareItem | undefined): boolean {
  return item === undefined || item.kind === kind
}

function integerOf(parameters: Parameters, name: string): number | undefined {
  const item = parameters.get(name)
  return item?.kind === 'integer' ? item.value : undefined
}

function stringOf(parameters: Parameters, name: string): string | undefined {
  const item = parameters.get(name)
  return item?.kind === 'string' ? item.value : undefined
}

function malformed(what: string): Refusal {
  return refuse('signature-malformed', `Signature-Input ${what}`)
}
