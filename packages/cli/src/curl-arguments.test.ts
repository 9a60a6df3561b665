import { describe, expect, it } from 'vitest'
import { sortCurlArguments } from './curl-arguments.ts'

const none = { method: undefined, head: false, headers: [], data: [], fails: false, passed: [], shaping: [] }

describe('sortCurlArguments', () => {
  it('hands on what leaves the request alone, letters standing together as well', () => {
    const args = ['-sSko', 'out.txt', 'http://x/', '--max-time', '5', '-v', '-m9']
    expect(sortCurlArguments(args)).toEqual({
      ...none,
      url: 'http://x/',
      passed: [
        '--silent',
        '--show-error',
        '--insecure',
        '--output',
        'out.txt',
        '--max-time',
        '5',
        '--verbose',
        '--max-time',
        '9',
      ],
      shaping: ['-o', '-v'],
    })
  })

  it('takes what is signed', () => {
    const args = [
      '--url',
      'http://x/',
      '-XPUT',
      '-H',
      'A: b',
      '-d',
      'a=1',
      '--data-raw',
      '@b',
      '--json',
      '@c',
      '-If',
    ]
    expect(sortCurlArguments(args)).toEqual({
      ...none,
      url: 'http://x/',
      method: 'PUT',
      head: true,
      fails: true,
      headers: ['A: b'],
      data: [
        { text: 'a=1', readsFile: false, stripsLineBreaks: true, isJson: false },
        { text: '@b', readsFile: false, stripsLineBreaks: false, isJson: false },
        { text: '@c', readsFile: true, stripsLineBreaks: false, isJson: true },
      ],
    })
  })

  it('refuses what alters the signed request, and says why', () => {
    const refused = [
      '-L',
      '--location',
      '-u',
      '-F',
      '-T',
      '-G',
      '-b',
      '-K',
      '--retry',
      '--aws-sigv4',
      '--digest',
    ]
    for (const argument of refused) {
      expect(() => sortCurlArguments(['http://x/', argument, 'value']), argument).toThrow(
        `curl ${argument}: `,
      )
    }
    expect(() => sortCurlArguments(['http://x/', '-sL'])).toThrow('curl -L: a redirect has to be signed anew')
  })

  it('refuses what it does not know, words of JavaScript among it', () => {
    for (const argument of [
      '--bogus',
      '-Q',
      '--loc',
      '--constructor',
      '--__proto__',
      '--header=A: b',
      '--no-silent',
    ]) {
      expect(() => sortCurlArguments(['http://x/', argument]), argument).toThrow('not handed on')
    }
  })

  it('wants one URL, and a value where one belongs', () => {
    expect(() => sortCurlArguments(['-v'])).toThrow('no URL')
    expect(() => sortCurlArguments(['http://x/', 'http://y/'])).toThrow('more than one URL')
    for (const argument of ['-o', '-so', '--output', '-X', '-d']) {
      expect(() => sortCurlArguments(['http://x/', argument]), argument).toThrow('its value is missing')
    }
  })
})
