package fakecloud

import (
	"cmp"
	"net/http"
)

// iamTokenHeader carries a token of IAM, which lets a request in without a signature.
const iamTokenHeader = "X-Auth-Token"

// DefaultRegion is the name of the project for a client that does not ask for one by name. The official Terraform
// provider asks for a project by the name of its region, whatever that is, and gets this one by that name.
const DefaultRegion = "cn-north-4"

// The routes of IAM that clients need before their first request to a service.
const (
	RouteListProjects Route = "GET projects"
	RouteListDomains  Route = "GET auth/domains"
)

func (g *Gateway) iamEndpoints() []Endpoint {
	return []Endpoint{
		{RouteListProjects, http.MethodGet, "/v3/projects", g.listProjects},
		{RouteListDomains, http.MethodGet, "/v3/auth/domains", g.listDomains},
	}
}

// verifyToken checks a token of IAM, and says what is wrong with it.
func (g *Gateway) verifyToken(token string) (problem string) {
	if token != g.iamToken {
		return "decrypt token fail"
	}
	return ""
}

// account is a project, or the domain that owns it.
type account struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DomainID    string `json:"domain_id,omitempty"`
	ParentID    string `json:"parent_id,omitempty"`
	IsDomain    *bool  `json:"is_domain,omitempty"` // projects alone have it
	Enabled     bool   `json:"enabled"`
	Description string `json:"description"`
}

// listProjects answers with the one project there is, by the name that is asked for.
func (g *Gateway) listProjects(e *Exchange) {
	domain := HexID("domain", 0)
	e.Payload = &struct {
		Projects []account `json:"projects"`
	}{[]account{{
		ID: g.project, Name: cmp.Or(e.Query.Get("name"), DefaultRegion), DomainID: domain, ParentID: domain,
		IsDomain: new(bool), Enabled: true,
	}}}
}

func (*Gateway) listDomains(e *Exchange) {
	e.Payload = &struct {
		Domains []account `json:"domains"`
	}{[]account{{ID: HexID("domain", 0), Name: "fake_domain", Enabled: true}}}
}
