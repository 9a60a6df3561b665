import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where nginx is, if it is. */
export const nginxProgram: string | undefined = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find(existsSync)

/** Gives the arguments that run nginx in the foreground with what stands in its `http` block. */
export function nginxArguments(directory: string, name: string, http: string): readonly string[] {
  const prefix = join(directory, name)
  mkdirSync(join(prefix, 'temporary'), { recursive: true })
  writeFileSync(join(prefix, 'nginx.conf'), configuration(http))
  return ['-p', prefix, '-c', 'nginx.conf', '-e', join(prefix, 'error.log'), '-g', 'daemon off;']
}

function configuration(http: string): string {
  return `worker_processes 1;
error_log error.log;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_buffer_size 64k;
  client_body_temp_path temporary; proxy_temp_path temporary;
  fastcgi_temp_path temporary; uwsgi_temp_path temporary; scgi_temp_path temporary;
${http}
}
`
}

/** The service behind every contestant: the cheapest answer there is. */
export function upstreamHttp(port: number): string {
  return `
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port} backlog=1024;
    default_type application/json;
    location / { return 200 '{"ok":true,"service":"invoices"}'; }
  }`
}

/** A plain proxy. */
export function proxyHttp(port: number, upstreamPort: number): string {
  return `${pool('service', upstreamPort)}
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / { ${toService} }
  }`
}

/** A proxy that asks a verifier first, as the documentation of the gateway has it, on connections that are kept. */
export function authHttp(options: {
  readonly port: number
  readonly upstreamPort: number
  readonly verifierPort: number
  readonly path: string
  readonly hopSecret: string
}): string {
  return `${pool('service', options.upstreamPort)}${pool('verifier', options.verifierPort)}
  server {
    listen 127.0.0.1:${options.port} backlog=1024;
    location / {
      auth_request /countersign;
      auth_request_set $key $upstream_http_x_countersign_key;
      proxy_set_header X-Countersign-Key $key;
      ${toService}
    }
    location = /countersign {
      internal;
      proxy_pass http://verifier${options.path};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Original-Method $request_method;
      proxy_set_header X-Original-URI $request_uri;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Countersign-Hop "${options.hopSecret}";
    }
  }`
}

const toService =
  'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; proxy_pass http://service;'

function pool(name: string, port: number): string {
  return `
  upstream ${name} { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000; }`
}
