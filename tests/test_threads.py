from threadpoolctl import threadpool_info

from hyperspy_clusterquant._threads import one_blas_thread


def test_linear_algebra_gets_its_threads_back():
    """Also if one call ends while another one, begun later, is at work."""
    threads = [library["num_threads"] for library in threadpool_info()]
    first, second = one_blas_thread(), one_blas_thread()
    first.__enter__()
    second.__enter__()
    blas = [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"]
    assert set(blas) == {1}
    first.__exit__()
    assert [x["num_threads"] for x in threadpool_info() if x["user_api"] == "blas"] == blas
    second.__exit__()
    assert [library["num_threads"] for library in threadpool_info()] == threads
