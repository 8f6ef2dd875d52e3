// Package fakecloud is the gateway of an embedded Huawei Cloud, for tests and demonstrations. It speaks the real HTTP
// protocol to the real SDK, in this process and without an account. It verifies signatures, finds the route of a
// request, injects faults, keeps a quota and logs requests. It knows no service: behind it stands a [Service], such as
// that of package fakecloud/kafka.
//
// It has two transports that behave alike. [Gateway.Transport] is an http.RoundTripper in memory, which also works
// inside a testing/synctest bubble, where a task of 40 minutes takes milliseconds. [Gateway.Start] is a server on a
// loopback port, for clients in any language.
//
// Errors have the codes of the gateway's own table. Where the real gateway documents nothing, this one guesses, and a
// comment says so.
package fakecloud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// What a client needs to be let in, unless options say otherwise. None of it is a secret anywhere.
const (
	DefaultAccessKey = "FAKE-ACCESS-KEY"
	DefaultSecretKey = "fake-secret-key"
	DefaultProject   = "fa4ec10d000000000000000000000001"
	DefaultIAMToken  = "fake-iam-token"
)

// Gateway is the entrance to one account with one project. Make it with [New]. It is safe for concurrent use. Its clock
// is time.Now, so it is virtual in a bubble.
type Gateway struct {
	services  []Service // the first one answers where there is no endpoint
	endpoints []Endpoint
	project   string
	accessKey string
	secretKey string
	token     string // of temporary credentials
	iamToken  string
	latency   time.Duration
	skew      time.Duration

	mu        sync.Mutex
	faults    map[Route][]Fault
	log       []Request
	forgotten int // requests before those in the log
	quota     []time.Time
	admitted  int // requests, by the quota
}

// Option changes a [Gateway] that [New] makes, or the service behind it ([ServiceOption]). Later options win.
type Option func(*Gateway)

// New returns a gateway with a service behind it, the default credentials and project, no latency and no faults.
func New(service Service, opts ...Option) *Gateway {
	g := &Gateway{
		services: []Service{service},
		project:  DefaultProject, accessKey: DefaultAccessKey, secretKey: DefaultSecretKey, iamToken: DefaultIAMToken,
		faults: map[Route][]Fault{},
	}
	g.endpoints = append(service.Endpoints(), g.iamEndpoints()...)
	for _, opt := range opts {
		opt(g)
	}
	return g
}

// Add puts another service behind the gateway, before the first request. If two services have the same endpoint the
// earlier one answers.
func (g *Gateway) Add(service Service) {
	g.services = append(g.services, service)
	g.endpoints = append(g.endpoints, service.Endpoints()...)
}

// ServiceOption makes an option of the service S. New panics if no such service stands behind the gateway.
func ServiceOption[S Service](set func(S)) Option {
	return func(g *Gateway) {
		for _, s := range g.services {
			if service, ok := s.(S); ok {
				set(service)
				return
			}
		}
		panic(fmt.Sprintf("fakecloud: option of %T for a gateway before %T", *new(S), g.services[0]))
	}
}

// WithProject sets the id of the only project. Default [DefaultProject].
func WithProject(id string) Option { return func(g *Gateway) { g.project = id } }

// WithCredentials sets the access key and the secret key that requests must be signed with. Default [DefaultAccessKey]
// and [DefaultSecretKey].
func WithCredentials(accessKey, secretKey string) Option {
	return func(g *Gateway) { g.accessKey, g.secretKey = accessKey, secretKey }
}

// WithSecurityToken makes the credentials temporary: requests must have this token in X-Security-Token, signed or not.
// Default "": permanent credentials, with which a token is refused.
func WithSecurityToken(token string) Option { return func(g *Gateway) { g.token = token } }

// WithIAMToken sets a token. A request that has it in X-Auth-Token needs no signature. Default [DefaultIAMToken]. The
// token never expires.
func WithIAMToken(token string) Option { return func(g *Gateway) { g.iamToken = token } }

// WithLatency sets how long each answer takes. Default 0.
func WithLatency(d time.Duration) Option { return func(g *Gateway) { g.latency = d } }

// WithClockSkew sets how far the cloud's clock is ahead of ours; negative: behind. Default 0. It shows in the Date of
// every answer and in the service's times. Signatures more than 15 minutes away from it are refused, as by the real
// gateway. [ClockSkew] does the same for a while.
func WithClockSkew(d time.Duration) Option { return func(g *Gateway) { g.skew = d } }

// Project returns the id of the only project.
func (g *Gateway) Project() string { return g.project }

// Credentials returns the keys that requests must be signed with. An empty token: the keys are permanent.
func (g *Gateway) Credentials() (accessKey, secretKey, securityToken string) {
	return g.accessKey, g.secretKey, g.token
}

// HexID makes ids that look like the service's: 32 hex digits, the same in each run for a kind and a number.
func HexID(kind string, n int) string {
	sum := sha256.Sum256(fmt.Append(nil, kind, n))
	return hex.EncodeToString(sum[:16])
}

// CheckStatus panics for an HTTP status that no answer can have, so that a mistake in a test is found at once.
func CheckStatus(who string, status int) {
	if status < http.StatusOK || status > 599 {
		panic(fmt.Sprintf("fakecloud: %s: status %d, want one from 200 to 599", who, status))
	}
}
