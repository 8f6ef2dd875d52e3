// Package sdktest holds the table of package huawei/jobs against the SDK: its own types decode the answers in testdata,
// its own clients ask for them, and the members of its enums are in the table. It has nothing to import. It is a module
// of its own, so that the SDK's packages of services are compiled for these tests alone.
package sdktest
