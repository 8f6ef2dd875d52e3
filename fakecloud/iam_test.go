package fakecloud_test

import (
	"testing"

	"github.com/taskwait/taskwait/fakecloud"
)

// TestIAM asks what the Terraform provider asks for before its first request to a service.
func TestIAM(t *testing.T) {
	g := newJobs(fakecloud.WithProject("p-1"))
	domain := fakecloud.HexID("domain", 0)
	for _, tt := range []struct{ name, path, want string }{
		{
			"a project by the name of its region", "/v3/projects?name=eu-west-101",
			`200 {"projects":[{"id":"p-1","name":"eu-west-101","domain_id":"` + domain + `","parent_id":"` + domain +
				`","is_domain":false,"enabled":true,"description":""}]}`,
		},
		{
			"all projects", "/v3/projects", `200 {"projects":[{"id":"p-1","name":"cn-north-4","domain_id":"` + domain +
				`","parent_id":"` + domain + `","is_domain":false,"enabled":true,"description":""}]}`,
		},
		{
			"the domain", "/v3/auth/domains", `200 {"domains":[{"id":"` + domain +
				`","name":"fake_domain","enabled":true,"description":""}]}`,
		},
	} {
		if got := call(t, g, "GET", tt.path, ""); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestIAMToken: a token lets a request in that is not signed; a signature counts more than a token.
func TestIAMToken(t *testing.T) {
	for _, tt := range []struct {
		name   string
		opts   []fakecloud.Option
		token  string
		signed bool
		key    string // of the signature
		want   int
	}{
		{"the default token", nil, fakecloud.DefaultIAMToken, false, "", 200},
		{"a token of one's own", []fakecloud.Option{fakecloud.WithIAMToken("mine")}, "mine", false, "", 200},
		{"another token", []fakecloud.Option{fakecloud.WithIAMToken("mine")}, fakecloud.DefaultIAMToken, false, "", 401},
		{"neither token nor signature", nil, "", false, "", 401},
		{"a signature besides a wrong token", nil, "wrong", true, owner.sk, 200},
		{"a wrong signature besides a token", nil, fakecloud.DefaultIAMToken, true, "wrong", 401},
	} {
		r := newRequest(t.Context(), t, "GET", nil)
		if tt.token != "" {
			r.Header.Set("X-Auth-Token", tt.token)
		}
		if tt.signed {
			sign(r, account{ak: owner.ak, sk: tt.key}, "")
		}
		if got, err := statusOf(newCloud(tt.opts...), r); err != nil || got != tt.want {
			t.Errorf("%s: got %d, %v, want %d", tt.name, got, err, tt.want)
		}
	}
}

// TestCredentials are what a client needs, whatever they are.
func TestCredentials(t *testing.T) {
	g := newCloud(fakecloud.WithCredentials("ak", "sk"), fakecloud.WithSecurityToken("token"), fakecloud.WithProject("p"))
	ak, sk, token := g.Credentials()
	if ak != "ak" || sk != "sk" || token != "token" || g.Project() != "p" {
		t.Errorf("got %s, %s, %s and project %s, want ak, sk, token, p", ak, sk, token, g.Project())
	}
	r := newRequest(t.Context(), t, "GET", nil)
	r.Header.Set("X-Security-Token", token)
	sign(r, account{ak: ak, sk: sk}, "")
	if got, err := statusOf(g, r); err != nil || got != 200 {
		t.Errorf("got %d, %v, want 200", got, err)
	}
}
