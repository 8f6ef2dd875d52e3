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
